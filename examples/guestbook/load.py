"""Ask a service for its health, so many times a second until a file is there: python3 load.py URL RATE FILE

Each request is a connection of its own, and asked once. Prints how many there were, how many failed and why, and which
versions answered; ends with 1 where one failed. It ends by itself after two minutes.
"""

import collections
import http.client
import json
import os
import sys
import threading
import time
import urllib.parse

LONGEST_S, TIMEOUT_S = 120, 5


class Tally:
    """What came of all requests; any thread may count."""

    def __init__(self):
        self.lock = threading.Lock()
        self.versions, self.failures, self.slowest = collections.Counter(), collections.Counter(), 0.0

    def ask(self, address):
        begun = time.monotonic()
        try:
            connection = http.client.HTTPConnection(address, timeout=TIMEOUT_S)
            connection.request("GET", "/health")
            answer = connection.getresponse()
            body = json.load(answer)
            connection.close()
            found = (self.versions, body["version"]) if answer.status == 200 else (self.failures, f"HTTP {answer.status}")
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            found = (self.failures, f"{type(error).__name__}: {error}")
        with self.lock:
            found[0][found[1]] += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)


def main():
    url, rate, stop = sys.argv[1:]
    address, tally, threads = urllib.parse.urlsplit(url).netloc, Tally(), []
    begun, count = time.monotonic(), 0
    while not os.path.exists(stop) and time.monotonic() - begun < LONGEST_S:
        thread = threading.Thread(target=tally.ask, args=(address,))
        thread.start()
        threads.append(thread)
        count += 1
        time.sleep(max(0.0, begun + count / float(rate) - time.monotonic()))
    for thread in threads:
        thread.join()
    answered = ", ".join(f"{number} by version {version}" for version, number in sorted(tally.versions.items()))
    print(f"   {count} requests, {tally.failures.total()} failed; {answered}; the slowest took {tally.slowest * 1000:.0f} ms")
    for failure, number in tally.failures.items():
        print(f"   {number} times {failure}")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
