"""Containers as processes: a specification is compiled to a plan, and the executor (executor/*.c) performs it.

The interface, for the engine and the builder:

    executor.create(Launch(...)) -> Handle
        Spawn the executor and make the namespaces. Returns when the first process has its pid and its network
        namespace; mounts go on meanwhile. Raises a JubakoError; then nothing is left behind.
    executor.exec_(init_pid, Launch(...)) -> Handle
        The same for one more process in the namespaces of the process `init_pid`. `spec` is the container's, but for
        its process.
    Launch(spec, rootfs=[], run_dir, cgroup=None, seccomp=None, log=None, stdio="pipe", stdin=False, stdin_once=False,
           attach=False, listen=True, keep_fds=[], cleanup=[], die_with_creator=False)
        `rootfs` is the snapshotter's mounts ([]: spec.root.path is a directory); `seccomp` is a Filter;
        `stdio` is "pipe", "null" or "inherit" (the caller's own 0, 1, 2; or `inherit_fds`); a terminal comes from
        spec.process.terminal. `attach` asks for Handle.attached. `run_dir` must exist.
    LogFile(path, max_size_bytes=0, max_files=1)
    Exit(code, signal, oom, started_ns, finished_ns)      code is 128+signal for a signal; started_ns 0: never started
    Handle
        .pid            of the first process, seen from here      .netns_fd() -> int     the caller closes it
        .keep(fds)      the monitor holds them while the container lives
        .start()        returns when the program runs; NotFound/PermissionDenied for the command itself
        .attached       Attached | None: the streams, least latency; reading it is the caller's duty (back-pressure)
        .resize(height, width)    .signal(number)
        .wait(timeout_s=None) -> Exit      raises TimeoutError
        .fileno()       readable when wait() has something to do: for poll loops
        .acknowledge()  the caller did the cleanup; the monitor ends without running the cleanup command
        .detach()       the monitor goes on alone
        .abandon()      kill it and wait until nothing is left; no cleanup command
    attach.connect(run_dir) -> Attached
        .read(timeout_s=None) -> Frame(kind, data) | None   kind STDOUT, STDERR, EXITED; None at the end
        .write(data) .close_stdin() .resize(height, width) .signal(number) .fileno() .close()
    state.read(run_dir) -> State(status, pid, started_ns, exit)      status "created", "running" or "stopped"
    seccomp.of_profile(cache_dir, capabilities, profile=None) -> Filter  of the default profile, or of a profile's JSON
    defaults        Docker's: CAPABILITIES, ALL_CAPABILITIES, MASKED_PATHS, READONLY_PATHS, DEVICE_RULES, RLIMITS,
                    mounts(privileged=False), namespaces(...)
    users           who a process runs as
"""
