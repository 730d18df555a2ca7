// Preloaded into a program (LD_PRELOAD), this writes down everything that the program does to the files below LAPSE_POWER_CUT_ROOT, in one
// order over all threads and processes, into the journal LAPSE_POWER_CUT_JOURNAL. disk.py makes of the journal what a disk would hold
// had the power failed at any point of it.
//
// The order is true because each operation and its record are made under one lock (flock on the journal, which a killed process gives
// back). Only an fsync is not made under it; it has a record where it begins and one where it has ended.
// A call that changes files in a way that this library doesn't know ends the program with a message, rather than be missed. What passes by
// libc unseen (C's FILE, raw system calls) is found by `disk.py check`, which compares the journal with the folder.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// What disk.py reads; the numbers are the format.
enum Kind { kOpen = 1, kWrite, kTruncate, kZero, kExtend, kSyncBegin, kSyncEnd, kRename, kLink, kUnlink, kMkdir, kRmdir, kNote, kUnknown };
enum { kCreated = 1, kTruncated = 2 };  // flags of kOpen

struct Record {
  uint32_t magic, kind, process, flags;
  uint64_t time;   // nanoseconds, CLOCK_MONOTONIC
  uint64_t inode;  // 0 in a sync: everything
  uint64_t token;  // of a sync: pairs its beginning with its end
  uint64_t offset, length;
  uint32_t from, to;  // bytes of the two paths that follow; then `data` bytes
};
_Static_assert(sizeof(struct Record) == 64, "the format");
enum { kMagic = 0x5453414c };

static char root[PATH_MAX];
static size_t root_length;
static const char* journal_path;
static int journal = -1;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t tokens;

static void die(const char* call, const char* what) {
  char text[PATH_MAX + 200];
  int length = snprintf(text, sizeof text, "power_cut: %s: %s\n", call, what);
  syscall(SYS_write, 2, text, (size_t)length);
  if (journal >= 0) {
    struct Record record = {.magic = kMagic, .kind = kUnknown, .from = (uint32_t)length};
    struct iovec parts[] = {{&record, sizeof record}, {text, (size_t)length}};
    syscall(SYS_writev, journal, parts, 2);
  }
  abort();
}

// High up, because the programs that are watched pass file descriptors by number.
static void open_journal(void) {
  int opened = (int)syscall(SYS_openat, AT_FDCWD, journal_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (opened < 0) die("open of the journal", strerror(errno));
  journal = fcntl(opened, F_DUPFD_CLOEXEC, 900);
  if (journal < 0) die("open of the journal", strerror(errno));
  syscall(SYS_close, opened);
}

// A lock belongs to the open file: a forked process needs one of its own.
static void forked(void) {
  syscall(SYS_close, journal);
  pthread_mutex_init(&mutex, NULL);
  open_journal();
}

__attribute__((constructor)) static void start(void) {
  const char* folder = getenv("LAPSE_POWER_CUT_ROOT");
  journal_path = getenv("LAPSE_POWER_CUT_JOURNAL");
  if (!folder || !journal_path) return;
  if (!realpath(folder, root)) die(folder, strerror(errno));
  root_length = strlen(root);
  journal_path = strdup(journal_path);
  tokens = (uint64_t)getpid() << 32;
  open_journal();
  pthread_atfork(NULL, NULL, forked);
}

static void lock(void) {
  pthread_mutex_lock(&mutex);
  while (flock(journal, LOCK_EX) != 0)
    if (errno != EINTR) die("flock", strerror(errno));
}

static void unlock(void) {
  int error = errno;
  flock(journal, LOCK_UN);
  pthread_mutex_unlock(&mutex);
  errno = error;
}

static void put(struct Record record, const char* from, const char* to, const struct iovec* data, int count) {
  int error = errno;
  struct iovec parts[3 + IOV_MAX];
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  record.magic = kMagic;
  record.process = (uint32_t)getpid();
  record.time = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
  record.from = (uint32_t)strlen(from);
  record.to = (uint32_t)strlen(to);
  parts[0] = (struct iovec){&record, sizeof record};
  parts[1] = (struct iovec){(void*)(uintptr_t)from, record.from};
  parts[2] = (struct iovec){(void*)(uintptr_t)to, record.to};
  size_t wanted = sizeof record + record.from + record.to + record.length * (record.kind == kWrite), left = record.length;
  int used = 3;
  for (int i = 0; i < count && left > 0; ++i) {  // a short write wrote a part of them only
    if (used == IOV_MAX) die("write", "too many pieces for one record");
    size_t size = data[i].iov_len < left ? data[i].iov_len : left;
    parts[used++] = (struct iovec){data[i].iov_base, size};
    left -= size;
  }
  long written = syscall(SYS_writev, journal, parts, used);
  if (written < 0 || (size_t)written != wanted) die("write of the journal", strerror(errno));
  errno = error;
}

static bool below(const char* path) {
  return journal >= 0 && strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == '\0');
}

static bool path_of(int file, char path[PATH_MAX]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  long length = readlink(link, path, PATH_MAX - 1);
  if (length < 0) return false;
  path[length] = '\0';
  return true;
}

// A regular file or a folder below the root; sockets and pipes are told apart cheaply, as most writes are to them.
static bool watched(int file, struct stat* status) {
  int error = errno;
  char path[PATH_MAX];
  bool is = journal >= 0 && fstat(file, status) == 0 && (S_ISREG(status->st_mode) || S_ISDIR(status->st_mode)) && path_of(file, path) &&
            below(path);
  errno = error;
  return is;
}

// The path without links or dots, though its last part may be absent. False: its folder doesn't exist, or lies elsewhere.
static bool resolve(int folder, const char* path, char out[PATH_MAX]) {
  if (journal < 0) return false;
  int error = errno;
  char parent[PATH_MAX];
  bool found = false;
  size_t length = strlen(path);
  while (length > 1 && path[length - 1] == '/') --length;
  size_t name = length;  // where the last part begins
  while (name > 0 && path[name - 1] != '/') --name;
  if (length - name <= NAME_MAX && name < sizeof parent) {
    memcpy(parent, name > 0 ? path : ".", name > 0 ? name : 1);
    parent[name > 0 ? name : 1] = '\0';
    int opened = (int)syscall(SYS_openat, folder, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (opened >= 0) {
      if (path_of(opened, out) && strlen(out) + NAME_MAX + 2 < PATH_MAX) {
        size_t end = strlen(out);
        if (out[end - 1] != '/') out[end++] = '/';
        memcpy(out + end, path + name, length - name);
        out[end + length - name] = '\0';
        found = below(out);
      }
      syscall(SYS_close, opened);
    }
  }
  errno = error;
  return found;
}

// --- files ----------------------------------------------------------------------------------------------------------------------------

static void opened(int file, bool existed, int flags) {
  struct stat status;
  char path[PATH_MAX];
  if (!watched(file, &status) || !S_ISREG(status.st_mode)) return;
  bool nameless = (flags & O_TMPFILE) == O_TMPFILE;
  if (nameless || !path_of(file, path)) path[0] = '\0';
  uint32_t how = nameless || !existed ? kCreated : flags & O_TRUNC ? kTruncated : 0;
  if (how) put((struct Record){.kind = kOpen, .flags = how, .inode = status.st_ino}, path, "", NULL, 0);
}

static int open_at(int folder, const char* path, int flags, mode_t mode) {
  if (journal < 0 || !(flags & (O_CREAT | O_TRUNC) || (flags & O_TMPFILE) == O_TMPFILE))
    return (int)syscall(SYS_openat, folder, path, flags, mode);
  lock();
  struct stat status;
  bool existed = fstatat(folder, path, &status, 0) == 0;
  int file = (int)syscall(SYS_openat, folder, path, flags, mode);
  if (file >= 0) opened(file, existed, flags);
  unlock();
  return file;
}

#define MODE(flags)                                          \
  mode_t mode = 0;                                           \
  if ((flags)&O_CREAT || ((flags)&O_TMPFILE) == O_TMPFILE) { \
    va_list rest;                                            \
    va_start(rest, flags);                                   \
    mode = va_arg(rest, mode_t);                             \
    va_end(rest);                                            \
  }
int open(const char* path, int flags, ...) {
  MODE(flags)
  return open_at(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  MODE(flags)
  return open_at(folder, path, flags, mode);
}
int creat(const char* path, mode_t mode) { return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int __open_2(const char* path, int flags);
int __open_2(const char* path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __openat_2(int folder, const char* path, int flags);
int __openat_2(int folder, const char* path, int flags) { return open_at(folder, path, flags, 0); }

// C++ streams open with it, and then call write; C's FILE calls it unseen.
FILE* fopen(const char* path, const char* mode) {
  FILE* (*real)(const char*, const char*);
  *(void**)&real = dlsym(RTLD_NEXT, "fopen");
  if (journal < 0 || !strpbrk(mode, "wa")) return real(path, mode);
  lock();
  struct stat status;
  bool existed = stat(path, &status) == 0;
  FILE* file = real(path, mode);
  if (file) opened(fileno(file), existed, O_CREAT | (strchr(mode, 'w') ? O_TRUNC : 0));
  unlock();
  return file;
}

// Records what an operation has written: `offset` < 0 says at the file's own position.
static ssize_t wrote(int file, ssize_t written, off_t offset, const struct iovec* parts, int count) {
  struct stat status;
  if (written <= 0) return written;
  if (fstat(file, &status) != 0) die("fstat", strerror(errno));
  int flags = fcntl(file, F_GETFL);
  off_t end = flags & O_APPEND ? status.st_size : offset < 0 ? lseek(file, 0, SEEK_CUR) : offset + written;
  put((struct Record){.kind = kWrite, .inode = status.st_ino, .offset = (uint64_t)(end - written), .length = (uint64_t)written}, "", "",
      parts, count);
  return written;
}

#define RECORDED(file, call, offset, parts, count)           \
  struct stat status;                                        \
  if (!watched(file, &status)) return call;                  \
  lock();                                                    \
  ssize_t written = wrote(file, call, offset, parts, count); \
  unlock();                                                  \
  return written;
#define PART(data, size)               \
  (struct iovec[]) {                   \
    { (void*)(uintptr_t)(data), size } \
  }

ssize_t write(int file, const void* data,
              size_t size){RECORDED(file, syscall(SYS_write, file, data, size), -1, PART(data, size), 1)} ssize_t
    pwrite(int file, const void* data, size_t size,
           off_t offset){RECORDED(file, syscall(SYS_pwrite64, file, data, size, offset), offset, PART(data, size), 1)} ssize_t
    writev(int file, const struct iovec* parts,
           int count){RECORDED(file, syscall(SYS_writev, file, parts, count), -1, parts, count)} ssize_t
    pwritev(int file, const struct iovec* parts, int count,
            off_t offset){RECORDED(file, syscall(SYS_pwritev, file, parts, count, offset, 0), offset, parts, count)} ssize_t
    pwritev2(int file, const struct iovec* parts, int count, off_t offset, int flags) {
  RECORDED(file, syscall(SYS_pwritev2, file, parts, count, offset, 0, flags), offset, parts, count)
}

// What the kernel copied is read back from where it went.
static ssize_t copied(int file, ssize_t size, off_t offset) {
  if (size <= 0) return size;
  off_t start = offset < 0 ? lseek(file, 0, SEEK_CUR) - size : offset;
  char name[64], *data = malloc((size_t)size);
  snprintf(name, sizeof name, "/proc/self/fd/%d", file);
  int reader = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC);
  if (!data || reader < 0 || pread(reader, data, (size_t)size, start) != size) die("copy", "can't read back what was copied");
  wrote(file, size, start, PART(data, (size_t)size), 1);
  syscall(SYS_close, reader);
  free(data);
  return size;
}
ssize_t copy_file_range(int in, off_t* from, int out, off_t* to, size_t size, unsigned flags) {
  struct stat status;
  if (!watched(out, &status)) return syscall(SYS_copy_file_range, in, from, out, to, size, flags);
  lock();
  off_t offset = to ? *to : -1;
  ssize_t done = copied(out, syscall(SYS_copy_file_range, in, from, out, to, size, flags), offset);
  unlock();
  return done;
}
ssize_t sendfile(int out, int in, off_t* offset, size_t size) {
  struct stat status;
  if (!watched(out, &status)) return syscall(SYS_sendfile, out, in, offset, size);
  lock();
  ssize_t done = copied(out, syscall(SYS_sendfile, out, in, offset, size), -1);
  unlock();
  return done;
}

int ftruncate(int file, off_t size) {
  struct stat status;
  if (!watched(file, &status)) return (int)syscall(SYS_ftruncate, file, size);
  lock();
  int result = (int)syscall(SYS_ftruncate, file, size);
  if (result == 0) put((struct Record){.kind = kTruncate, .inode = status.st_ino, .offset = (uint64_t)size}, "", "", NULL, 0);
  unlock();
  return result;
}
int truncate(const char* path, off_t size) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  int result = ftruncate(file, size), error = errno;
  close(file);
  errno = error;
  return result;
}
int fallocate(int file, int mode, off_t offset, off_t size) {
  struct stat status;
  if (!watched(file, &status)) return (int)syscall(SYS_fallocate, file, mode, offset, size);
  if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) die("fallocate", "a mode that is not known");
  lock();
  int result = (int)syscall(SYS_fallocate, file, mode, offset, size);
  if (result == 0 && mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
    put((struct Record){.kind = kZero, .inode = status.st_ino, .offset = (uint64_t)offset, .length = (uint64_t)size}, "", "", NULL, 0);
  if (result == 0 && !(mode & FALLOC_FL_KEEP_SIZE))
    put((struct Record){.kind = kExtend, .inode = status.st_ino, .offset = (uint64_t)(offset + size)}, "", "", NULL, 0);
  unlock();
  return result;
}
int posix_fallocate(int file, off_t offset, off_t size) { return fallocate(file, 0, offset, size) == 0 ? 0 : errno; }

// --- made durable ---------------------------------------------------------------------------------------------------------------------

static int sync_by(long number, int file, bool everything) {
  struct stat status;
  if (!watched(file, &status)) return (int)syscall(number, file);
  struct Record record = {
      .kind = kSyncBegin, .inode = everything ? 0 : status.st_ino, .token = __atomic_add_fetch(&tokens, 1, __ATOMIC_RELAXED)};
  lock();
  put(record, "", "", NULL, 0);
  unlock();
  int result = (int)syscall(number, file);
  if (result == 0) {
    record.kind = kSyncEnd;
    lock();
    put(record, "", "", NULL, 0);
    unlock();
  }
  return result;
}
int fsync(int file) { return sync_by(SYS_fsync, file, false); }
int fdatasync(int file) { return sync_by(SYS_fdatasync, file, false); }
int syncfs(int file) { return sync_by(SYS_syncfs, file, true); }

// --- names ----------------------------------------------------------------------------------------------------------------------------

static int rename_at(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  char old_path[PATH_MAX], new_path[PATH_MAX];
  bool out = resolve(from_folder, from, old_path), in = resolve(to_folder, to, new_path);
  if (!out && !in) return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
  if (out != in) die("rename", "across the border of the root");
  if (flags & ~(unsigned)RENAME_NOREPLACE) die("rename", "flags that are not known");
  lock();
  int result = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
  if (result == 0) put((struct Record){.kind = kRename}, old_path, new_path, NULL, 0);
  unlock();
  return result;
}
int rename(const char* from, const char* to) { return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_folder, const char* from, int to_folder, const char* to) { return rename_at(from_folder, from, to_folder, to, 0); }
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  return rename_at(from_folder, from, to_folder, to, flags);
}

int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) {
  char path[PATH_MAX];
  if (!resolve(to_folder, to, path)) return (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
  lock();
  int result = (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
  struct stat status;
  if (result == 0) {
    if (fstatat(to_folder, to, &status, AT_SYMLINK_NOFOLLOW) != 0) die("link", strerror(errno));
    put((struct Record){.kind = kLink, .inode = status.st_ino}, path, "", NULL, 0);
  }
  unlock();
  return result;
}
int link(const char* from, const char* to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int folder, const char* name, int flags) {
  char path[PATH_MAX];
  if (!resolve(folder, name, path)) return (int)syscall(SYS_unlinkat, folder, name, flags);
  lock();
  int result = (int)syscall(SYS_unlinkat, folder, name, flags);
  if (result == 0) put((struct Record){.kind = flags & AT_REMOVEDIR ? kRmdir : kUnlink}, path, "", NULL, 0);
  unlock();
  return result;
}
int unlink(const char* path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char* path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char* path) { return unlink(path) == 0 ? 0 : errno == EISDIR ? rmdir(path) : -1; }

int mkdirat(int folder, const char* name, mode_t mode) {
  char path[PATH_MAX];
  if (!resolve(folder, name, path)) return (int)syscall(SYS_mkdirat, folder, name, mode);
  lock();
  int result = (int)syscall(SYS_mkdirat, folder, name, mode);
  struct stat status;
  if (result == 0) {
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) die("mkdir", strerror(errno));
    put((struct Record){.kind = kMkdir, .inode = status.st_ino}, path, "", NULL, 0);
  }
  unlock();
  return result;
}
int mkdir(const char* path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

// --- what is not modelled: loudly ------------------------------------------------------------------------------------------------------

void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) {
  struct stat status;
  char path[PATH_MAX];
  // SQLite's -shm is an index of its log that is built anew after a crash: nothing in it has to last.
  if (file >= 0 && protection & PROT_WRITE && (flags & MAP_TYPE) != MAP_PRIVATE && watched(file, &status) && path_of(file, path)) {
    size_t length = strlen(path);
    if (length < 4 || strcmp(path + length - 4, "-shm") != 0) die("mmap of a file for writing", path);
  }
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return (void*)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}
int symlinkat(const char* target, int folder, const char* name) {
  char path[PATH_MAX];
  if (resolve(folder, name, path)) die("symlink", path);
  return (int)syscall(SYS_symlinkat, target, folder, name);
}
int symlink(const char* target, const char* path) { return symlinkat(target, AT_FDCWD, path); }
ssize_t splice(int in, off_t* from, int out, off_t* to, size_t size, unsigned flags) {
  struct stat status;
  if (watched(out, &status)) die("splice", "into a file below the root");
  return syscall(SYS_splice, in, from, out, to, size, flags);
}
// As the C library does it: names are tried until one is new. By open_at(), so that the file is on the record as any other.
int mkostemps(char* name, int suffix, int flags) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const int blanks = 6;
  const size_t length = strlen(name);
  if (suffix < 0 || length < (size_t)(blanks + suffix)) return errno = EINVAL, -1;
  char* blank = name + length - (size_t)(blanks + suffix);
  if (strncmp(blank, "XXXXXX", (size_t)blanks) != 0) return errno = EINVAL, -1;
  for (int attempt = 0; attempt < TMP_MAX; ++attempt) {
    unsigned char random[6];
    if (syscall(SYS_getrandom, random, sizeof random, 0) != (long)sizeof random) return -1;
    for (int i = 0; i < blanks; ++i) blank[i] = letters[random[i] % (sizeof letters - 1)];
    const int file = open_at(AT_FDCWD, name, (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file >= 0 || errno != EEXIST) return file;
  }
  return errno = EEXIST, -1;
}
int mkstemp(char* name) { return mkostemps(name, 0, 0); }
int mkostemp(char* name, int flags) { return mkostemps(name, 0, flags); }
int mkstemps(char* name, int suffix) { return mkostemps(name, suffix, 0); }

// --- the same with 64-bit offsets, which all of them have here -------------------------------------------------------------------------

#define ALIAS(name) __attribute__((alias(name)))
int open64(const char* path, int flags, ...) ALIAS("open");
int openat64(int folder, const char* path, int flags, ...) ALIAS("openat");
int creat64(const char* path, mode_t mode) ALIAS("creat");
int __open64_2(const char* path, int flags) ALIAS("__open_2");
int __openat64_2(int folder, const char* path, int flags) ALIAS("__openat_2");
FILE* fopen64(const char* path, const char* mode) ALIAS("fopen");
ssize_t pwrite64(int file, const void* data, size_t size, off64_t offset) ALIAS("pwrite");
ssize_t pwritev64(int file, const struct iovec* parts, int count, off64_t offset) ALIAS("pwritev");
ssize_t pwritev64v2(int file, const struct iovec* parts, int count, off64_t offset, int flags) ALIAS("pwritev2");
ssize_t sendfile64(int out, int in, off64_t* offset, size_t size) ALIAS("sendfile");
int ftruncate64(int file, off64_t size) ALIAS("ftruncate");
int truncate64(const char* path, off64_t size) ALIAS("truncate");
int fallocate64(int file, int mode, off64_t offset, off64_t size) ALIAS("fallocate");
int posix_fallocate64(int file, off64_t offset, off64_t size) ALIAS("posix_fallocate");
void* mmap64(void* address, size_t size, int protection, int flags, int file, off64_t offset) ALIAS("mmap");
int mkstemp64(char* name) ALIAS("mkstemp");
int mkostemp64(char* name, int flags) ALIAS("mkostemp");
