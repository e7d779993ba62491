/* Which installation this program belongs to: its directory, its keeper's name, its Python. */
#include "front.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* FNV-1a. It tells installations of one user apart; nothing rests on it being hard to forge. */
static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
	const unsigned char *bytes = data;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return hash;
}

/* The file itself is part of the name: installing again, even the same version, makes a new keeper. */
static bool name_keeper(const char *path, char *ret_name, size_t size)
{
	struct stat st;
	if (stat("/proc/self/exe", &st) < 0)
		return false;
	uint64_t hash = mix(0xcbf29ce484222325u, path, strlen(path));
	hash = mix(hash, JUBAKO_BUILD, sizeof(JUBAKO_BUILD));
	hash = mix(hash, &st.st_ino, sizeof(st.st_ino));
	hash = mix(hash, &st.st_mtim.tv_sec, sizeof(st.st_mtim.tv_sec));
	hash = mix(hash, &st.st_mtim.tv_nsec, sizeof(st.st_mtim.tv_nsec));
	int length = snprintf(ret_name, size, "keeper-%s-%016llx", JUBAKO_VERSION, (unsigned long long)hash);
	return length > 0 && (size_t)length < size;
}

static char *cut_last(char *path)
{
	char *slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	return slash ? slash + 1 : NULL;
}

bool locate_install(struct install *ret_install)
{
	struct install *it = ret_install;
	ssize_t length = readlink("/proc/self/exe", it->bin, sizeof(it->bin) - 1);
	if (length <= 0 || it->bin[0] != '/')
		return false;
	it->bin[length] = '\0';
	if (!name_keeper(it->bin, it->keeper, sizeof(it->keeper)))
		return false;
	char *name = cut_last(it->bin);
	if (!name || strlen(name) >= sizeof(it->name))
		return false;
	strcpy(it->name, name);
	strcpy(it->prefix, it->bin);
	cut_last(it->prefix);
	return true;
}

static bool join(char ret_path[PATH_MAX], const char *directory, const char *name)
{
	int length = snprintf(ret_path, PATH_MAX, "%s/%s", directory, name);
	return length > 0 && length < PATH_MAX;
}

static bool python_beside(const struct install *install, char ret_path[PATH_MAX])
{
	return join(ret_path, install->bin, "python3") && access(ret_path, X_OK) == 0;
}

/* Installers write the interpreter's path into the first line of this script. */
static bool python_of_script(const struct install *install, char ret_path[PATH_MAX])
{
	char script[PATH_MAX];
	if (!join(script, install->bin, "jubako-python"))
		return false;
	int fd = open(script, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t length = read(fd, ret_path, PATH_MAX - 1);
	close(fd);
	if (length < 4)
		return false;
	ret_path[length] = '\0';
	char *end = strchr(ret_path, '\n');
	if (!end || strncmp(ret_path, "#!/", 3) != 0)
		return false;
	*end = '\0';
	memmove(ret_path, ret_path + 2, strlen(ret_path + 2) + 1);
	return access(ret_path, X_OK) == 0;
}

bool find_python(const struct install *install, char ret_path[PATH_MAX])
{
	char config[PATH_MAX];
	/* A virtual environment that was moved or copied still has its own interpreter beside this program. */
	bool venv = join(config, install->prefix, "pyvenv.cfg") && access(config, R_OK) == 0;
	if (venv && python_beside(install, ret_path))
		return true;
	return python_of_script(install, ret_path) || python_beside(install, ret_path);
}
