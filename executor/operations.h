/* The one table of numbers that the executor and Python share. generate.py makes src/jubako/runtime/opcodes.py of it.
 *
 * OPERATION(name, number, who, integers, strings, more)
 *   who       MONITOR: read by the monitor before it clones. INIT: performed in order by the first process.
 *   integers  how many 64-bit integers it carries          strings   how many strings at least
 *   more      NONE, LIST (further strings follow), BLOB (the last string may hold NULs)
 * The comment names the integers; then the strings.
 */
#ifndef OPERATION
#define OPERATION(name, number, who, integers, strings, more)
#endif
#ifndef CONSTANT
#define CONSTANT(name, number)
#endif

/* clang-format off */
OPERATION(INIT_CHANNEL,      2, MONITOR, 2, 0, NONE) /* fd; listening socket where START comes later, or -1: comes on fd */
OPERATION(RUN_DIR,           3, MONITOR, 1, 0, NONE) /* fd */
OPERATION(CLONE,             4, MONITOR, 2, 0, NONE) /* clone flags, leave (no monitor: end when the child is made) */
OPERATION(JOIN,              5, MONITOR, 2, 0, NONE) /* fd of a namespace or pidfd, CLONE_NEW* */
OPERATION(ID_MAP,            6, MONITOR, 2, 2, NONE) /* who writes: 0 monitor, 1 creator; deny setgroups; uid_map, gid_map */
OPERATION(CGROUP_CLONE,      7, MONITOR, 1, 0, NONE) /* fd of a cgroup v2 directory */
OPERATION(CGROUP_TASKS,      8, MONITOR, 1, 0, NONE) /* fd of a cgroup v1 tasks file, or v2 cgroup.procs */
OPERATION(STDIO,             9, MONITOR, 5, 0, NONE) /* kind, keep stdin open, stdin, stdout, stderr fds (inherit) */
OPERATION(LOG,              10, MONITOR, 3, 1, NONE) /* bytes before rotation (0: never), files, LOG_*; path */
OPERATION(ATTACH,           11, MONITOR, 3, 0, NONE) /* creator's stream fd or -1, listen on attach.sock, stdin once */
OPERATION(CLEANUP,          12, MONITOR, 0, 1, LIST) /* argv */
OPERATION(OOM,              13, MONITOR, 1, 0, NONE) /* fd of memory.oom_control or memory.events */
OPERATION(CONSOLE_SIZE,     14, MONITOR, 2, 0, NONE) /* height, width */
OPERATION(CREATOR_DEATH,    15, MONITOR, 1, 0, NONE) /* signal for the first process when the creator is gone */
OPERATION(PRESERVED,        16, MONITOR, 1, 0, NONE) /* how many fds from 3 on are the program's, and not the monitor's to hold */
OPERATION(FIRST_AFFINITY,   17, MONITOR, 0, 1, BLOB) /* processors before the cgroup is joined, a mask */
OPERATION(NOTICE,           18, MONITOR, 0, 1, LIST) /* argv, when the status of a probe has changed */

OPERATION(PROPAGATION,      32, INIT, 1, 0, NONE) /* mount(2) flags of "/" */
OPERATION(UNSHARE,          33, INIT, 1, 0, NONE) /* CLONE_NEW* */
OPERATION(ROOT_FILESYSTEM,  34, INIT, 1, 1, LIST) /* mount attributes; type, options (key=value or flag) */
OPERATION(ROOT_BIND,        35, INIT, 3, 1, NONE) /* recursive, mount attributes, detached mount or -1: source is opened; source */
OPERATION(FILESYSTEM,       36, INIT, 4, 3, LIST) /* attributes, propagation, fall back to a bind of this type's host mount, COPY_*; type, source, target, options */
OPERATION(BIND,             37, INIT, 7, 2, NONE) /* recursive, set, clear, recursive set, recursive clear, propagation (with MS_REC: of all), detached mount or -1: source is opened; source, target */
OPERATION(MKDIR,            38, INIT, 1, 1, NONE) /* mode; path, unless it is there */
OPERATION(SYMLINK,          39, INIT, 0, 2, NONE) /* target, path */
OPERATION(MKNOD,            40, INIT, 5, 1, NONE) /* mode, major, minor, uid, gid; path */
OPERATION(BIND_DEVICE,      41, INIT, 3, 2, NONE) /* type bits, major, minor (verified); source, target */
OPERATION(MASK,             42, INIT, 0, 1, NONE) /* path */
OPERATION(READONLY,         43, INIT, 0, 1, NONE) /* path */
OPERATION(CONSOLE,          44, INIT, 4, 1, NONE) /* socket that gets the master, or -1: the monitor; height, width; an LF is shown as it is, not as CR LF; devpts path or "" */
OPERATION(PIVOT,            45, INIT, 2, 0, NONE) /* chroot instead: where "/" is the initial root, which can not be pivoted; old root is shared with the host */
OPERATION(ROOT_READONLY,    46, INIT, 0, 0, NONE)
OPERATION(HOSTNAME,         47, INIT, 0, 1, NONE) /* name */
OPERATION(DOMAINNAME,       48, INIT, 0, 1, NONE) /* name */
OPERATION(SYSCTL,           49, INIT, 0, 2, NONE) /* path beneath /proc/sys, value */
OPERATION(RLIMIT,           50, INIT, 4, 0, NONE) /* resource, soft, hard, tolerate EPERM */
OPERATION(OOM_SCORE,        51, INIT, 2, 0, NONE) /* value, tolerate EACCES */
OPERATION(UMASK,            52, INIT, 1, 0, NONE) /* mask */
OPERATION(KEYRING,          53, INIT, 0, 0, NONE) /* a new session keyring */
OPERATION(WAIT,             54, INIT, 0, 0, NONE) /* for START */
OPERATION(BOUNDING,         55, INIT, 1, 0, NONE) /* capabilities to keep */
OPERATION(USER,             56, INIT, 4, 1, BLOB) /* uid, gid, keep capabilities over setuid, set groups; gids as u32 */
OPERATION(CAPABILITIES,     57, INIT, 4, 0, NONE) /* effective, permitted, inheritable, ambient */
OPERATION(NO_NEW_PRIVILEGES,58, INIT, 0, 0, NONE)
OPERATION(SECCOMP,          59, INIT, 1, 1, BLOB) /* flags; program */
OPERATION(DIRECTORY,        60, INIT, 0, 1, NONE) /* working directory */
OPERATION(ENVIRONMENT,      61, INIT, 0, 0, LIST) /* NAME=value */
OPERATION(EXECUTE,          62, INIT, 1, 1, LIST) /* fds to keep beyond 0, 1, 2; argv */
OPERATION(LOOPBACK,         63, INIT, 0, 0, NONE)
OPERATION(PARENT_DEATH,     64, INIT, 1, 0, NONE) /* signal */
OPERATION(PROC,             65, INIT, 0, 0, NONE) /* a private, unattached procfs for the writes of later operations */
OPERATION(SESSION,          66, INIT, 0, 0, NONE)
OPERATION(ATTRIBUTES,        67, INIT, 3, 1, NONE) /* set, clear, recursive; path of a mount */
OPERATION(AGENT,            68, INIT, 1, 2, LIST) /* socket that gets SECCOMP's notifications; its path, the state's pieces, the pid between */
OPERATION(LABEL,            69, INIT, 0, 2, NONE) /* file beneath /proc/self/attr, what the program is to be */
OPERATION(FIND,             77, INIT, 0, 1, NONE) /* program: it must be there and executable */
OPERATION(MOUNTED,          78, INIT, 0, 0, NONE) /* tell the creator, and wait until its hooks have run */
OPERATION(HOOK,             79, INIT, 5, 1, LIST) /* timeout in ms or -1, fd of the state, how many of the strings are arguments, 0 createContainer or 1 startContainer, which of them; path, arguments, environment */
OPERATION(TIME,             80, INIT, 0, 1, NONE) /* enter a new time namespace; lines for /proc/<pid>/timens_offsets */
OPERATION(SCHEDULER,        81, INIT, 7, 0, NONE) /* policy, nice, priority, flags, runtime, deadline, period in ns */
OPERATION(IO_PRIORITY,      82, INIT, 1, 0, NONE) /* class << 13 | level */
OPERATION(AFFINITY,         83, INIT, 0, 1, BLOB) /* a mask of processors; empty: all that the cgroup has, if that can be */
OPERATION(PERSONALITY,      84, INIT, 1, 0, NONE) /* persona */
OPERATION(MEMORY_POLICY,    85, INIT, 1, 1, BLOB) /* mode with flags; a mask of nodes */

/* What goes over the control socket and the init channel: struct message in protocol.h. */
CONSTANT(MESSAGE_CLONED,       1) /* value: pid; with a pidfd */
CONSTANT(MESSAGE_ID_MAP,       2) /* value: pid */
CONSTANT(MESSAGE_READY,        3) /* monitor: the program runs, and that is recorded; first process: it waits for START */
CONSTANT(MESSAGE_EXITED,       4)
CONSTANT(MESSAGE_FAILED,       5)
CONSTANT(MESSAGE_MOUNTED,      6) /* first process: all is mounted, the old root is still there */
CONSTANT(MESSAGE_ID_MAP_DONE, 16)
CONSTANT(MESSAGE_KEEP,        17) /* with fds */
CONSTANT(MESSAGE_SIGNAL,      18) /* value: number */
CONSTANT(MESSAGE_RESIZE,      19) /* value: height << 16 | width */
CONSTANT(MESSAGE_ACKNOWLEDGE, 20) /* monitor: the cleanup is done; first process without one: its pid is recorded */
CONSTANT(MESSAGE_START,       21)
CONSTANT(MESSAGE_GO_ON,       22) /* after MOUNTED */
CONSTANT(MESSAGE_PROBE,       23) /* struct probe_request, with fds: its plan, its directory, what the plan names */

/* The first byte of each packet of an attach connection. */
CONSTANT(FRAME_STDOUT,         1)
CONSTANT(FRAME_STDERR,         2)
CONSTANT(FRAME_EXITED,         3) /* u32 code, little-endian as the machine */
CONSTANT(FRAME_STDIN,         16)
CONSTANT(FRAME_CLOSE_STDIN,   17)
CONSTANT(FRAME_RESIZE,        18) /* u16 height, u16 width */
CONSTANT(FRAME_SIGNAL,        19) /* u8 number */

/* What a new tmpfs takes over from the directory that it covers. */
CONSTANT(COPY_CONTENT,         1)
CONSTANT(COPY_MODE,            2)

/* How a line of output stands in the log. */
CONSTANT(LOG_JSON,             0)
CONSTANT(LOG_CRI,              1)

CONSTANT(STDIO_NULL,           0)
CONSTANT(STDIO_PIPE,           1)
CONSTANT(STDIO_INHERIT,        2)
CONSTANT(STDIO_TERMINAL,       3)

/* Which process a failure record comes from. */
CONSTANT(STAGE_DECODE,         1)
CONSTANT(STAGE_MONITOR,        2)
CONSTANT(STAGE_INIT,           3)

CONSTANT(PLAN_MAGIC,  0x6F6B626A) /* "jbko" */
CONSTANT(PLAN_VERSION,         2)
CONSTANT(PROBES_MAX,           4)
CONSTANT(PROBE_FDS_MAX,       32)
CONSTANT(FRAME_BYTES_MAX,  32769)
CONSTANT(PLAN_OPERATIONS_MAX, 4096)
CONSTANT(PLAN_STRINGS_MAX,   65536)
CONSTANT(PLAN_BYTES_MAX,  16777216)
/* clang-format on */

#undef OPERATION
#undef CONSTANT
