/* Paths that a container can influence: resolved by the kernel beneath the root, and used through their fd. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

enum { PATH_BYTES_MAX = 4096 };

/* Open `path` as if `root` were "/": links and ".." stay within it, magic links are refused. */
int root_open(int root, const char *path, uint64_t flags);

/* An O_PATH fd of the directory `path`, made with its parents where it is missing. */
int root_make_directory(int root, const char *path, mode_t mode);

/* An O_PATH fd of `path`; an empty regular file is made where there is nothing. */
int root_make_file(int root, const char *path);

/* Make the parents of `path`; returns their fd and points `*ret_name` (in `buffer`) at the last component. */
int root_make_parent(int root, const char *path, char buffer[PATH_BYTES_MAX], const char **ret_name);
