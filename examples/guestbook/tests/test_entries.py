"""Run while the image is built: an image of a guestbook that does not work is never made."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "guestbook"))

from entries import Entries  # noqa: E402


class EntriesTest(unittest.TestCase):
    def test_an_entry_is_there_when_the_database_is_opened_again(self):
        with tempfile.TemporaryDirectory() as directory:
            path = str(Path(directory) / "test.sqlite")
            Entries(path).add("A guest", "Hello")
            self.assertEqual([entry["text"] for entry in Entries(path).all()], ["Hello"])

    def test_an_empty_name_is_refused(self):
        with self.assertRaises(ValueError):
            Entries(":memory:").add("", "Hello")


if __name__ == "__main__":
    unittest.main()
