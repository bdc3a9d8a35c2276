#include "bootstrap/named.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "engine/failpoint.h"
#include "engine/types.h"

namespace uintr {
namespace {

bool status_of(int directory, const char* path, int flags, struct statx* out) {
  return statx(directory, path, flags, STATX_TYPE | STATX_MODE | STATX_UID | STATX_INO, out) == 0;
}

constexpr unsigned kOthersMayWrite = 022;

bool own_directory(const struct statx& s) { return S_ISDIR(s.stx_mode) && s.stx_uid == geteuid(); }
bool own_file(const struct statx& s) { return S_ISREG(s.stx_mode) && s.stx_uid == geteuid(); }

bool foreign(JoinError* error, const std::string& what, uint32_t uid, const std::string& remedy) {
  return fail(error, "ERR_UINTR_JOIN",
              what + " belongs to user " + std::to_string(uid) + ", this is user " + std::to_string(geteuid()) + remedy);
}

// Gives this user what the umask of whoever made it has taken from it: what is his own stays usable for all his
// processes, however each was started. True: it is his, and has it now.
bool give_own(int directory, const char* name, unsigned mode) {
  const Fd found(openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct statx status;
  if (!found || !status_of(found.get(), "", AT_EMPTY_PATH, &status) || status.stx_uid != geteuid() ||
      S_ISLNK(status.stx_mode)) {
    return false;
  }
  // By way of /proc, for fchmod() refuses a descriptor of O_PATH.
  return (status.stx_mode & mode) == mode ||
         chmod(("/proc/self/fd/" + std::to_string(found.get())).c_str(), mode) == 0;
}

// For a person to find it.
std::string path_of(const Fd& directory) {
  char path[PATH_MAX];
  const ssize_t n = readlink(("/proc/self/fd/" + std::to_string(directory.get())).c_str(), path, sizeof path);
  return n > 0 ? std::string(path, static_cast<size_t>(n)) : "";
}

// By way of the directory's descriptor, because a socket's path has no more than 107 bytes.
sockaddr_un address_of(const Fd& directory, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(directory.get()) + '/' + name + ".sock";
  memcpy(address.sun_path, path.data(), path.size());  // at most 14 + 10 + 1 + 64 + 5 + 5
  return address;
}

}  // namespace

bool valid_name(const std::string& name, JoinError* error) {
  bool good = !name.empty() && name.size() <= 64 && name[0] != '.';
  for (const char c : name) {
    good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                    c == '_' || c == '-');
  }
  return good ||
         fail(error, "ERR_UINTR_INVALID_ARGUMENT",
              "name '" + name + "': a world's name has 1 to 64 of A-Z a-z 0-9 . _ - and does not begin with a dot");
}

bool open_directory(const std::string& runtime_dir, const std::string& home, Fd* directory, std::string* path,
                    JoinError* error) {
  struct statx status;
  // Not the session of another user (sudo keeps the variable), and not a place where others could make or move
  // directories, for there they could block the names.
  if (!runtime_dir.empty() && runtime_dir[0] == '/' && status_of(AT_FDCWD, runtime_dir.c_str(), 0, &status) &&
      own_directory(status) && (status.stx_mode & kOthersMayWrite) == 0) {
    *path = runtime_dir + "/uintr";
  } else if (!home.empty() && home[0] == '/') {
    *path = home + "/.uintr";
  } else {
    return fail(error, "ERR_UINTR_JOIN",
                "no directory for named worlds: XDG_RUNTIME_DIR is '" + runtime_dir + "' and HOME is '" + home +
                    "'; one of them must be a directory of this user that nobody else can write to");
  }
  const std::string remedy = ": remove it, or set XDG_RUNTIME_DIR to a directory that only this user can write to";
  if (mkdir(path->c_str(), 0700) != 0 && errno != EEXIST) return fail_syscall(error, "mkdir", errno, *path);
  give_own(AT_FDCWD, path->c_str(), 0700);
  directory->reset(open(path->c_str(), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_RDONLY));
  if (!*directory) {
    const int failed = errno;
    if (!status_of(AT_FDCWD, path->c_str(), AT_SYMLINK_NOFOLLOW, &status)) {
      return fail_syscall(error, "open", failed, *path);
    }
    if (status.stx_uid != geteuid()) return foreign(error, *path, status.stx_uid, remedy);
    if (!S_ISDIR(status.stx_mode)) return fail(error, "ERR_UINTR_JOIN", *path + " is no directory" + remedy);
    return fail_syscall(error, "open", failed, *path);
  }
  // Of what was opened, not of what the path may mean by now.
  if (!status_of(directory->get(), "", AT_EMPTY_PATH, &status)) return fail_syscall(error, "statx", errno, *path);
  if (status.stx_uid != geteuid()) return foreign(error, *path, status.stx_uid, remedy);
  if ((status.stx_mode & 077) != 0) {
    return fail(error, "ERR_UINTR_JOIN", *path + " is open to other users: its mode must be 0700");
  }
  return true;
}

NameHold::Outcome NameHold::take(const Fd& directory, const std::string& name, JoinError* error) {
  const std::string file = name + ".lock";
  const std::string what = "cannot take the name '" + name + "'", path = path_of(directory) + '/' + file;
  const auto refuse = [&](const struct statx& found) {
    if (found.stx_uid != geteuid()) return foreign(error, path, found.stx_uid, ": remove it");
    return fail(error, "ERR_UINTR_JOIN", what + ": " + path + " is no regular file: remove it");
  };
  // Again if the previous holder removed the file between our open and our lock: such a lock holds nothing.
  for (int attempt = 0; attempt < 100; ++attempt) {
    Fd lock(openat(directory.get(), file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) {
      const int failed = errno;
      struct statx status;
      if (failed == EACCES && give_own(directory.get(), file.c_str(), 0600)) continue;
      const bool there = status_of(directory.get(), file.c_str(), AT_SYMLINK_NOFOLLOW, &status);
      if (there && !own_file(status)) {
        refuse(status);
      } else {
        fail_syscall(error, "open", failed, what);
      }
      return Outcome::Failed;
    }
    UINTR_FAILPOINT("name.lock_open");
    struct statx opened, current;
    if (!status_of(lock.get(), "", AT_EMPTY_PATH, &opened)) {
      fail_syscall(error, "statx", errno, what);
      return Outcome::Failed;
    }
    if (!own_file(opened)) {
      refuse(opened);
      return Outcome::Failed;
    }
    if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return Outcome::Busy;
      fail_syscall(error, "flock", errno, what);
      return Outcome::Failed;
    }
    if (!status_of(directory.get(), file.c_str(), AT_SYMLINK_NOFOLLOW, &current) || current.stx_ino != opened.stx_ino) {
      continue;
    }
    lock_ = std::move(lock);
    UINTR_FAILPOINT("name.locked");
    name_ = name;
    directory_.reset(fcntl(directory.get(), F_DUPFD_CLOEXEC, 0));
    if (directory_) return Outcome::Held;
    fail_syscall(error, "fcntl(F_DUPFD_CLOEXEC)", errno, what);
    return Outcome::Failed;
  }
  return Outcome::Busy;
}

bool NameHold::listen(Fd* listener, JoinError* error) {
  const std::string what = "cannot open the name '" + name_ + "'";
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail_syscall(error, "socket", errno, what);
  // Only the holder of the lock gets here, so what lies there belongs to nobody who is alive.
  unlinkat(directory_.get(), (name_ + ".sock").c_str(), 0);
  UINTR_FAILPOINT("name.cleared");
  const sockaddr_un address = address_of(directory_, name_);
  // The directory keeps other users out, and each connection's uid is checked.
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_syscall(error, "bind", errno, what);
  }
  bound_ = true;
  UINTR_FAILPOINT("name.bound");
  const int on = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);  // what is sent before accept() has them too
  if (::listen(socket.get(), 1024) != 0) return fail_syscall(error, "listen", errno, what);
  *listener = std::move(socket);
  UINTR_FAILPOINT("name.listening");
  return true;
}

void NameHold::give_back() {
  if (!lock_ || !directory_) return;
  // While the lock is held: afterwards the files could be the next holder's.
  UINTR_FAILPOINT("name.releasing");
  if (bound_) unlinkat(directory_.get(), (name_ + ".sock").c_str(), 0);
  UINTR_FAILPOINT("name.half_released");
  unlinkat(directory_.get(), (name_ + ".lock").c_str(), 0);
  lock_.reset();
}

std::string place_of(const std::string& world, uint32_t rank) { return world + '@' + std::to_string(rank); }

std::vector<uint32_t> places_of(const Fd& directory, const std::string& world) {
  std::vector<uint32_t> ranks;
  // A description of its own, for that has the position in it.
  const int fd = openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* entries = fd < 0 ? nullptr : fdopendir(fd);
  if (entries == nullptr) {
    if (fd >= 0) close(fd);
    return ranks;
  }
  const std::string prefix = world + '@';
  while (const dirent* entry = readdir(entries)) {
    if (strncmp(entry->d_name, prefix.c_str(), prefix.size()) != 0) continue;
    char* end = nullptr;
    const unsigned long rank = strtoul(entry->d_name + prefix.size(), &end, 10);
    if (strcmp(end, ".sock") == 0 && rank < kMaxRanks) ranks.push_back(static_cast<uint32_t>(rank));
  }
  closedir(entries);
  std::sort(ranks.begin(), ranks.end());
  return ranks;
}

Connect connect_to_name(const Fd& directory, const std::string& name, Fd* socket, JoinError* error, int32_t* pid) {
  // Non-blocking: a hub whose process was stopped would hold up a blocking connect for ever.
  socket->reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const std::string what = "cannot reach the world '" + name + "'";
  if (!*socket) {
    fail_syscall(error, "socket", errno, what);
    return Connect::Failed;
  }
  const sockaddr_un address = address_of(directory, name);
  if (connect(socket->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int failed = errno;
    socket->reset();
    if (failed == ENOENT || failed == ECONNREFUSED) return Connect::Nobody;
    if (failed == EACCES && give_own(directory.get(), (name + ".sock").c_str(), 0600)) return Connect::Busy;
    if (failed == EAGAIN || failed == EINTR) return Connect::Busy;
    fail_syscall(error, "connect", failed, what);
    return Connect::Failed;
  }
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(socket->get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || peer.uid != geteuid()) {
    foreign(error, "the name '" + name + "'", peer.uid, "");
    return Connect::Failed;
  }
  if (pid != nullptr) *pid = peer.pid;
  UINTR_FAILPOINT("name.connected");
  return Connect::Connected;
}

}  // namespace uintr
