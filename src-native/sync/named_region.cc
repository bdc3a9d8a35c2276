#include "sync/named_region.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "bootstrap/named.h"
#include "bootstrap/namespace.h"
#include "drivers/start_time.h"
#include "sync/futex.h"

namespace uintr::sync {
namespace {

// The list is held for as long as it takes to look at the processes in it; who holds it longer is stopped.
constexpr uint64_t kPatienceNs = 5'000'000'000;
constexpr uint64_t kLeavingPatienceNs = 20'000'000;
constexpr size_t kMostBytes = size_t{256} * 1024;

// Names of worlds have no @. Processes of another PID namespace could not be told from dead ones: they have lists of
// their own, where they share the directory.
std::string place_of(const std::string& name) { return name + "@region." + std::to_string(pid_namespace()); }
std::string list_of(const std::string& name) { return place_of(name) + ".users"; }

bool take(NameHold* hold, const Fd& directory, const std::string& name, uint64_t patience, JoinError* error) {
  const uint64_t end = now_ns() + patience;
  for (;;) {
    switch (hold->take(directory, place_of(name), error)) {
      case NameHold::Outcome::Held:
        return true;
      case NameHold::Outcome::Failed:
        return false;
      case NameHold::Outcome::Busy:
        break;
    }
    if (now_ns() >= end) {
      return fail(error, "ERR_UINTR_TIMEOUT",
                  "the list of region '" + name + "' is held by a process that does not go on; is it stopped?");
    }
    const timespec a_while{0, 200'000};
    nanosleep(&a_while, nullptr);
  }
}

// Which process a pid means; its start, unlike its descriptors, everybody may see.
uint64_t start_of(const Handle& handle) { return thread_start_time(handle.pid, handle.pid); }

// One line: a handle, and the start of its process.
struct User {
  Handle handle;
  uint64_t start;

  std::string text() const { return handle.text() + ' ' + std::to_string(start); }
  static bool parse(const std::string& line, User* user) {
    const size_t space = line.find(' ');
    if (space == std::string::npos || !Handle::parse(line.substr(0, space), &user->handle)) return false;
    user->start = strtoull(line.c_str() + space, nullptr, 10);
    return true;
  }
  // Gone, certainly; not whether it is there.
  bool is_gone(Region::Presence presence) const {
    return presence == Region::Presence::Gone || (presence == Region::Presence::Unknown && start_of(handle) != start);
  }
};

// What it says; any other line is left out. Where there is none, it is empty.
bool read_list(const Fd& directory, const std::string& name, std::vector<User>* users, JoinError* error) {
  const std::string what = "the list of region '" + name + "'";
  const Fd file(openat(directory.get(), list_of(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return errno == ENOENT || fail_syscall(error, "open", errno, what);
  std::string text(kMostBytes, '\0');
  const ssize_t n = read(file.get(), text.data(), text.size());
  if (n < 0) return fail_syscall(error, "read", errno, what);
  text.resize(static_cast<size_t>(n));
  for (size_t from = 0; from < text.size();) {
    const size_t end = std::min(text.find('\n', from), text.size());
    User user{};
    if (User::parse(text.substr(from, end - from), &user)) users->push_back(user);
    from = end + 1;
  }
  return true;
}

// As a whole or not at all, whenever this process may be killed.
bool write_list(const Fd& directory, const std::string& name, const std::vector<User>& users, JoinError* error) {
  const std::string made = place_of(name) + ".new", what = "the list of region '" + name + "'";
  std::string text;
  for (const User& user : users) text += user.text() + '\n';
  unlinkat(directory.get(), made.c_str(), 0);
  const Fd file(openat(directory.get(), made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return fail_syscall(error, "open", errno, what);
  fchmod(file.get(), 0600);  // whatever the umask is
  if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail_syscall(error, "write", errno, what);
  }
  return renameat(directory.get(), made.c_str(), directory.get(), list_of(name).c_str()) == 0 ||
         fail_syscall(error, "rename", errno, what);
}

bool same(const Handle& a, const Handle& b) { return a.pid == b.pid && a.fd == b.fd && a.identity == b.identity; }

// Those in the list that may still have a region open, and the region, if one of them can be reached. False: nobody can say
// whether there is one.
bool find(const Fd& directory, const std::string& name, std::vector<User>* users, std::shared_ptr<Region>* region,
          JoinError* error) {
  std::vector<User> listed;
  if (!read_list(directory, name, &listed, error)) return false;
  JoinError unknown;
  for (const User& user : listed) {
    if (*region != nullptr && user.handle.identity != (*region)->identity()) continue;
    JoinError why;
    const Region::Presence presence = Region::look_for(user.handle, &why);
    if (user.is_gone(presence)) continue;
    users->push_back(user);
    if (presence == Region::Presence::Unknown) {
      unknown = why;
    } else if (*region == nullptr) {
      *region = Region::open(user.handle, error);
      if (*region == nullptr) return false;
    }
  }
  if (*region != nullptr || users->empty()) return true;
  *error = unknown;
  error->message = "region '" + name + "' may be open in process " + std::to_string(users->back().handle.pid) + ": " + unknown.message;
  return false;
}

}  // namespace

std::shared_ptr<Region> open_named(const std::string& runtime_dir, const std::string& home, const std::string& name,
                                   uint64_t bytes, std::unique_ptr<NamedUse>* use, JoinError* error) {
  Fd directory;
  std::string path;
  if (!valid_name(name, error) || !open_directory(runtime_dir, home, &directory, &path, error)) return nullptr;
  std::shared_ptr<Region> made;
  for (;;) {
    NameHold hold;
    std::vector<User> users;
    std::shared_ptr<Region> region;
    if (!take(&hold, directory, name, kPatienceNs, error) || !find(directory, name, &users, &region, error)) return nullptr;
    if (region == nullptr) region = made;
    if (region != nullptr) {
      users.push_back({region->handle(), start_of(region->handle())});
      if (!write_list(directory, name, users, error)) return nullptr;
      use->reset(new NamedUse(std::move(directory), name, region->handle()));
      return region;
    }
    // While nobody holds the list, since memory may take long to come into being; in vain, if somebody else is faster.
    hold.give_back();
    made = Region::create(bytes, error);
    if (made == nullptr) return nullptr;
  }
}

NamedUse::~NamedUse() {
  // A forked child has it by no will of its own.
  if (getpid() != handle_.pid) return;
  NameHold hold;
  JoinError ignored;
  std::vector<User> listed, others;
  // If not, the line stays, and leads nowhere.
  if (!take(&hold, directory_, name_, kLeavingPatienceNs, &ignored) || !read_list(directory_, name_, &listed, &ignored)) {
    return;
  }
  for (const User& user : listed) {
    if (!same(user.handle, handle_) && !user.is_gone(Region::look_for(user.handle, &ignored))) others.push_back(user);
  }
  if (others.empty())
    unlinkat(directory_.get(), list_of(name_).c_str(), 0);
  else
    write_list(directory_, name_, others, &ignored);
}

}  // namespace uintr::sync
