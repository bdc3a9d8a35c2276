#include "sync/region.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <set>

#include "bootstrap/memfd.h"
#include "bootstrap/random.h"
#include "sync/completion.h"
#include "sync/counter.h"
#include "sync/futex.h"
#include "sync/mutex.h"
#include "sync/per_cpu.h"
#include "sync/spin_lock.h"
#include "sync/ticket_lock.h"

namespace uintr::sync {
namespace {

constexpr uint64_t kPage = 4096;
constexpr const char* kWhat = "the region's memory";
constexpr const char *kName = "uintr-region", *kOwnMemory = "/memfd:uintr-region";

uint64_t in_pages(uint64_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

// Opens the file behind a descriptor anew. A copy of the descriptor would share its locks.
Fd reopen(int32_t pid, int fd, JoinError* error, const std::string& kind = "/memfd:") {
  char path[64], target[64];
  if (pid == getpid())
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  else
    snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
  // Nothing else is opened: it could be a terminal, or a device that does something when it is opened.
  const ssize_t n = readlink(path, target, sizeof target - 1);
  if (n <= 0 && errno == ENOENT) {
    fail(error, "ERR_UINTR_INVALID_ARGUMENT", std::string(path) + " is no region: it is not there, or no longer");
    return Fd();
  }
  if (n <= 0) {
    fail_syscall(error, "readlink", errno, std::string(path));
    return Fd();
  }
  target[n] = 0;
  if (strncmp(target, kind.c_str(), kind.size()) != 0) {
    fail(error, "ERR_UINTR_INVALID_ARGUMENT", std::string(path) + " is no region: it is " + target);
    return Fd();
  }
  // It may be another file by now; that one is not waited for either.
  Fd opened(open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!opened) fail_syscall(error, "open", errno, std::string(path));
  return opened;
}

// With an identity of 0 any region will do.
bool is_region(int fd, const Handle& handle) {
  uint64_t identity = 0;
  return pread(fd, &identity, sizeof identity, static_cast<off_t>(handle.offset)) == sizeof identity && identity != 0 &&
         (handle.identity == 0 || identity == handle.identity);
}

bool is_size(uint64_t bytes, JoinError* error) {
  return (bytes >= sizeof(RegionHeader) && bytes <= kMaxRegionBytes) ||
         fail(error, "ERR_UINTR_INVALID_ARGUMENT",
              "a region has " + std::to_string(sizeof(RegionHeader)) + " to " + std::to_string(kMaxRegionBytes) +
                  " bytes, not " + std::to_string(bytes));
}

// Who changes the memory meanwhile does not come between a check of what was read and its use.
template <class T>
T once(const T& word) {
  return __atomic_load_n(&word, __ATOMIC_RELAXED);
}
Kind once(const Kind& kind) { return static_cast<Kind>(once(reinterpret_cast<const uint32_t&>(kind))); }

// A file's locks are by byte and know nothing of its length: the seat's is its number's.
struct flock lock_of(uint64_t offset, uint32_t seat, short type = F_WRLCK) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(offset + seat);
  lock.l_len = 1;
  return lock;
}

// While it lives, nobody else makes objects, so that of those who want one of the same name at the same time all but one
// find it, and take no room that they then leave unused. Nothing else depends on it: a holder that is stopped is waited
// for only so long.
class Making {
 public:
  Making(int fd, uint64_t offset) : fd_(fd), offset_(offset) {
    struct flock lock = lock_of(offset_, kByte);
    const uint64_t end = now_ns() + kPatienceNs;
    while (fcntl(fd_, F_OFD_SETLK, &lock) != 0 && (errno == EAGAIN || errno == EINTR) && now_ns() < end) {
      const timespec a_while{0, 50'000};
      nanosleep(&a_while, nullptr);
    }
  }
  ~Making() {
    struct flock lock = lock_of(offset_, kByte, F_UNLCK);
    fcntl(fd_, F_OFD_SETLK, &lock);
  }
  Making(const Making&) = delete;

 private:
  static constexpr uint32_t kByte = kSeats;  // behind those of the seats
  static constexpr uint64_t kPatienceNs = 1'000'000'000;
  int fd_;
  uint64_t offset_;
};

}  // namespace

std::string Handle::text() const {
  char buffer[96];
  snprintf(buffer, sizeof buffer, "uintr:%d:%d:%llx:%016llx", pid, fd, static_cast<unsigned long long>(offset),
           static_cast<unsigned long long>(identity));
  return buffer;
}

bool Handle::parse(const std::string& text, Handle* handle) {
  unsigned long long offset = 0, identity = 0;
  int end = 0;
  if (sscanf(text.c_str(), "uintr:%9d:%9d:%16llx:%16llx%n", &handle->pid, &handle->fd, &offset, &identity, &end) != 4) {
    return false;
  }
  handle->offset = offset;
  handle->identity = identity;
  return static_cast<size_t>(end) == text.size() && handle->pid > 0 && handle->fd >= 0 && identity != 0 &&
         offset % kPage == 0 &&
         // sscanf also takes spaces, signs and the like.
         handle->text() == text;
}

// The regions of this process, of which a forked child lets go at once. Its copy of a descriptor is of the same open file
// description, so that the locks on its parent's seats would outlive the parent: a dead owner would count as alive.
struct Region::Open {
  // Held while the process forks, so that the child finds the set whole.
  std::mutex mutex;
  std::set<Region*> all;

  // Never destroyed: threads may outlive what is destroyed when the process ends.
  static Open& get() {
    static Open* const open = [] {
      static Open* const made = new Open;
      pthread_atfork([] { made->mutex.lock(); }, [] { made->mutex.unlock(); }, [] { made->let_go(); });
      return made;
    }();
    return *open;
  }
  void add(Region* region) {
    const std::lock_guard<std::mutex> hold(mutex);
    all.insert(region);
  }
  void let_go() {
    for (Region* region : all) {
      region->fd_.reset();
      region->base_ = nullptr;
    }
    mutex.unlock();
  }
};

std::shared_ptr<Region> Region::map(Fd fd, uint64_t offset, uint64_t bytes, JoinError* error) {
  if (!is_size(bytes, error)) return nullptr;
  if (const int failed = commit_memfd(fd.get(), offset, offset + bytes)) {
    fail_syscall(error, "fallocate", failed, kWhat);
    return nullptr;
  }
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), static_cast<off_t>(offset));
  if (at == MAP_FAILED) {
    fail_syscall(error, "mmap", errno, kWhat);
    return nullptr;
  }
  // A forked child has no seat (see Open).
  madvise(at, bytes, MADV_DONTFORK);
  std::shared_ptr<Region> region(new Region);
  region->fd_ = std::move(fd);
  region->base_ = static_cast<unsigned char*>(at);
  region->offset_ = offset;
  region->bytes_ = bytes;
  // Whoever comes first names it.
  uint64_t identity = 0;
  const uint64_t fresh = random_word() | 1;
  region->identity_ = region->header().identity.cas_sc(&identity, fresh) ? fresh : identity;
  Open::get().add(region.get());
  return region;
}

Region::~Region() {
  // All at once for who forks meanwhile: the mapping, too, keeps the open file description.
  const std::lock_guard<std::mutex> hold(Open::get().mutex);
  Open::get().all.erase(this);
  if (base_ != nullptr) munmap(base_, bytes_);
  fd_.reset();
}

std::shared_ptr<Region> Region::create(uint64_t bytes, JoinError* error) {
  Fd fd;
  unsigned char* base = nullptr;
  const uint64_t whole = bytes <= kMaxRegionBytes ? in_pages(bytes) : bytes;
  if (!is_size(whole, error)) return nullptr;
  if (!make_memfd(kName, whole, kSizeSeals, &fd, &base, "cannot create a region", error)) return nullptr;
  munmap(base, whole);
  return map(std::move(fd), 0, whole, error);
}

std::shared_ptr<Region> Region::open(int fd, JoinError* error) {
  Handle handle{getpid(), fd, 0, 0};
  return open(handle, error);
}

std::shared_ptr<Region> Region::open(const Handle& handle, JoinError* error) {
  // Without an identity nothing else tells a region from another memory of this package.
  const std::string kind = handle.identity == 0 ? kOwnMemory : "/memfd:";
  Fd fd = reopen(handle.pid, handle.fd, error, kind);
  if (!fd) return nullptr;
  struct statx status;
  if (statx(fd.get(), "", AT_EMPTY_PATH, STATX_SIZE, &status) != 0) {
    fail_syscall(error, "statx", errno, kWhat);
    return nullptr;
  }
  const uint64_t size = status.stx_size;
  if (!check_memfd(fd.get(), size, kSizeSeals, kWhat, error)) return nullptr;
  // A region that is part of a larger memory is the last part of it.
  if (handle.offset >= size || size - handle.offset > kMaxRegionBytes || size - handle.offset < sizeof(RegionHeader)) {
    fail(error, "ERR_UINTR_INVALID_ARGUMENT", "it is no region: its memory has " + std::to_string(size) + " bytes");
    return nullptr;
  }
  // Before anything is written: this may be somebody's memory that is no region at all.
  if (!is_region(fd.get(), handle)) {
    fail(error, "ERR_UINTR_INVALID_ARGUMENT", "the region is gone: what its handle names is another memory");
    return nullptr;
  }
  return map(std::move(fd), handle.offset, size - handle.offset, error);
}

Region::Presence Region::look_for(const Handle& handle, JoinError* error) {
  const Fd fd = reopen(handle.pid, handle.fd, error);
  if (fd) return is_region(fd.get(), handle) ? Presence::Here : Presence::Gone;
  // It is not there, or is another file; or the process ended between two looks.
  const int why = error->error_number;
  // Else there is no descriptor left here, or the kernel refuses: it does not let everybody look into every process of the
  // same user (PR_SET_DUMPABLE, file capabilities).
  return why == 0 || why == ENOENT || why == ESRCH ? Presence::Gone : Presence::Unknown;
}

std::shared_ptr<Region> Region::inside(int fd, uint64_t offset, uint64_t bytes, JoinError* error) {
  Fd own = reopen(getpid(), fd, error);
  return own ? map(std::move(own), offset, bytes, error) : nullptr;
}

Handle Region::handle() const { return {getpid(), fd_.get(), offset_, identity_}; }

int Region::duplicate(JoinError* error) const { return reopen(getpid(), fd_.get(), error).release(); }

Owner Region::seat(Use use, JoinError* error) {
  Shared<Owner>& mine = seats_[static_cast<int>(use)];
  if (mine.relaxed() != kNobody) return mine.relaxed();
  const Owner other = seats_[1 - static_cast<int>(use)].relaxed();
  for (uint32_t seat = 0; seat < kSeats; ++seat) {
    // The kernel would give this description its own lock once more.
    if (other != kNobody && seat_of(other) == seat) continue;
    struct flock lock = lock_of(offset_, seat);
    if (fcntl(fd_.get(), F_OFD_SETLK, &lock) != 0) {
      if (errno == EAGAIN || errno == EACCES) continue;
      fail_syscall(error, "fcntl(F_OFD_SETLK)", errno, "cannot take a seat of the region");
      return kNobody;
    }
    // SYNC POINT: seat. First the lock, then the new life: whoever finds the seat's lock free, or another life in it,
    // knows that the old life is over.
    const uint32_t life = header().lives[seat].add_sc(1) + 1;
    mine.release(owner_of(seat, life));
    return mine.relaxed();
  }
  fail(error, "ERR_UINTR_NO_MEMORY", "no seat is left: all " + std::to_string(kSeats) + " of this region are taken");
  return kNobody;
}

bool Region::is_alive(uint32_t seat, uint32_t life, uint32_t known) const {
  if (seat >= kSeats) return false;  // nobody who is correct has written that
  // SYNC POINT: seat.
  const uint32_t now = header().lives[seat].load_sc();
  if (((now ^ life) & known) != 0) return false;
  if (owner_of(seat, now) == seats_[0].acquire() || owner_of(seat, now) == seats_[1].acquire()) return true;
  struct flock lock = lock_of(offset_, seat);
  // Where the kernel cannot tell, nobody is declared dead.
  return fcntl(fd_.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

bool Region::is_object(uint32_t line) const {
  constexpr uint32_t kFirst = sizeof(RegionHeader) / kLine, kLeast = sizeof(ObjectHeader) / kLine;
  return line >= kFirst && line < lines() && lines() - line >= kLeast;
}

ObjectHeader* Region::at(uint32_t line, Kind kind) const {
  return is_object(line) && once(object(line)->kind) == kind && lines_at(object(line)) >= least_lines(kind) ? object(line)
                                                                                                     : nullptr;
}

uint32_t Region::lines_at(const ObjectHeader* object) const {
  constexpr uint32_t kOwn = sizeof(ObjectHeader) / kLine;
  const uint32_t lines_left = lines() - line_of(object), its = std::min(once(object->lines), lines_left);
  return its < kOwn ? 0 : its - kOwn;
}

uint32_t Region::line_of(const ObjectHeader* object) const {
  return static_cast<uint32_t>((reinterpret_cast<const unsigned char*>(object) - base_) / kLine);
}

// From the object at line `from` through older ones, up to the one at `until`.
ObjectHeader* Region::find(const std::string& name, uint32_t from, uint32_t until) const {
  // No more steps than there is room for objects: what is read may be garbage, and lead in a circle.
  uint32_t line = from;
  for (uint32_t steps = lines(); steps > 0 && line != until && is_object(line); --steps) {
    ObjectHeader* one = object(line);
    if (once(one->name_length) == name.size() && memcmp(one->name, name.data(), name.size()) == 0) return one;
    line = once(one->next);
  }
  return nullptr;
}

ObjectHeader* Region::find_or_make(Kind kind, const std::string& name, JoinError* error) {
  const auto check = [&](ObjectHeader* found) -> ObjectHeader* {
    if (at(line_of(found), kind) != nullptr) return found;
    fail(error, "ERR_UINTR_INVALID_ARGUMENT",
         "'name' must be that of a " + std::string(name_of(kind)) + " or of nothing yet; '" + name + "' is a " +
             name_of(once(found->kind)));
    return nullptr;
  };
  if (name.size() > kNameBytes) {
    fail(error, "ERR_UINTR_INVALID_ARGUMENT",
         "'name' must have at most " + std::to_string(kNameBytes) + " bytes; it has " + std::to_string(name.size()));
    return nullptr;
  }
  uint32_t newest = header().newest.load_sc();
  if (!name.empty()) {
    if (ObjectHeader* found = find(name, newest, 0)) return check(found);
  }
  const Making making(fd_.get(), offset_);
  const uint32_t before = newest;
  newest = header().newest.load_sc();
  if (!name.empty()) {
    if (ObjectHeader* found = find(name, newest, before)) return check(found);
  }
  const uint32_t needed = sizeof(ObjectHeader) / kLine + lines_of(kind);
  constexpr uint32_t kFirst = sizeof(RegionHeader) / kLine;
  uint32_t used = header().used.load_sc(), line = 0;
  do {
    line = used < kFirst ? kFirst : used;
    if (line > lines() || lines() - line < needed) {
      fail(error, "ERR_UINTR_NO_MEMORY",
           "the region of " + std::to_string(bytes_) + " bytes has no room for a " + name_of(kind) + " of " +
               std::to_string(uint64_t{needed} * kLine));
      return nullptr;
    }
  } while (!header().used.cas_sc(&used, line + needed));
  // These lines are this thread's alone until the list has them, and were never written.
  ObjectHeader* made = object(line);
  made->kind = kind;
  made->lines = needed;
  made->name_length = static_cast<uint32_t>(name.size());
  memcpy(made->name, name.data(), name.size());
  for (uint32_t seen = newest;;) {
    made->next = newest;
    // SYNC POINT: object. The header is whole when the list shows it.
    if (header().newest.cas_sc(&newest, line)) return made;
    // Somebody was faster, perhaps with that name. Then the lines just taken stay unused.
    if (!name.empty()) {
      if (ObjectHeader* found = find(name, newest, seen)) return check(found);
    }
    seen = newest;
  }
}

uint32_t lines_of(Kind kind) { return kind == Kind::PerCpuCounter ? possible_cpus() : least_lines(kind); }

uint32_t least_lines(Kind kind) {
  switch (kind) {
    case Kind::Mutex:
    case Kind::AdaptiveMutex:
      return sizeof(MutexWords) / kLine;
    case Kind::SpinLock:
      return sizeof(SpinLockWords) / kLine;
    case Kind::TicketLock:
      return sizeof(TicketLockWords) / kLine;
    case Kind::AtomicCounter:
      return sizeof(AtomicCounterWords) / kLine;
    case Kind::PerCpuCounter:
      return 1;
    case Kind::Completion:
      return sizeof(CompletionWords) / kLine;
  }
  return 0;
}

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::Mutex:
      return "Mutex";
    case Kind::AdaptiveMutex:
      return "Mutex (adaptive)";
    case Kind::SpinLock:
      return "SpinLock";
    case Kind::TicketLock:
      return "SpinLock (ticket)";
    case Kind::AtomicCounter:
      return "AtomicCounter";
    case Kind::PerCpuCounter:
      return "PerCpuCounter";
    case Kind::Completion:
      return "Completion";
  }
  return "primitive of an unknown kind";
}

}  // namespace uintr::sync
