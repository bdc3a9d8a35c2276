// Doorbells without JavaScript: a descriptor that crossed a socket rings its receiver while that computes, exactly once
// for each send in lock step, by user interrupts and by signals.
//
// preload: emulator
// sources: src-native/bootstrap/error.cc src-native/bootstrap/memfd.cc
// sources: src-native/drivers/disposition.cc src-native/drivers/signal_name.cc
// sources: src-native/drivers/vectors.cc src-native/drivers/uintr_abi.cc src-native/drivers/uintr_probe.cc
// sources: src-native/drivers/uintr_senders.cc src-native/drivers/uintr_thread.cc src-native/drivers/doorbell*.cc
// sources: src-native/drivers/uintr_entry_handler.S src-native/drivers/dispatch_handler.cc
// sources: test/native/bootstrap/engine_stub.cc
// sources: src-native/drivers/restartable_handler.cc src-native/drivers/rseq_add_handler.S src-native/drivers/restartable.cc test/native/bootstrap/symbol_dl.cc
#include <sys/mman.h>
#include <sys/socket.h>

#include "../bootstrap/tools.h"
#include "drivers/doorbell_receiver.h"
#include "drivers/doorbell_sender.h"
#include "drivers/uintr_probe.h"

using namespace uintr;
using Choice = DoorbellReceiver::Choice;

namespace {

constexpr uint32_t kVector = 7;
constexpr uint64_t kRounds = 2000;

void pass(int socket, int fd) {
  char byte = 0, control[CMSG_SPACE(sizeof(int))] = {};
  iovec data{&byte, 1};
  msghdr message{};
  message.msg_iov = &data, message.msg_iovlen = 1;
  message.msg_control = control, message.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET, rights->cmsg_type = SCM_RIGHTS, rights->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  CHECK(sendmsg(socket, &message, 0) == 1);
}

int passed(int socket) {
  char byte = 0, control[CMSG_SPACE(sizeof(int))] = {};
  iovec data{&byte, 1};
  msghdr message{};
  message.msg_iov = &data, message.msg_iovlen = 1;
  message.msg_control = control, message.msg_controllen = sizeof control;
  CHECK(recvmsg(socket, &message, 0) == 1);
  int fd = -1;
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

void a_descriptor_that_was_passed_rings(Choice choice) {
  int sockets[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
  auto* answers = static_cast<uint64_t*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const pid_t sender = test::child([&] {
    const int fd = passed(sockets[1]);
    JoinError error;
    auto bell = DoorbellSender::open(fd, &error);
    CHECK_OK(bell != nullptr, error);
    close(fd);
    for (uint64_t i = 0; i < kRounds; ++i) {
      bell->send();
      while (__atomic_load_n(answers, __ATOMIC_SEQ_CST) <= i) continue;
    }
  });
  JoinError error;
  auto receiver = DoorbellReceiver::open(choice, "SIGURG", &error);
  CHECK_OK(receiver != nullptr, error);
  CHECK(strcmp(receiver->driver(), choice == Choice::Uintr ? "uintr" : "signal") == 0);
  const int fd = receiver->create_fd(kVector, &error);
  CHECK(fd >= 0);
  CHECK(receiver->create_fd(kVector, &error) == -1);
  CHECK_ERROR(error, "ERR_UINTR_INVALID_ARGUMENT", "it is 7");
  pass(sockets[0], fd);
  close(fd);
  for (uint64_t i = 0; i < kRounds; ++i) {
    while (receiver->count(kVector) == i) continue;  // computing
    CHECK(receiver->count(kVector) == i + 1);
    CHECK(receiver->take() == uint64_t{1} << kVector);
    __atomic_store_n(answers, i + 1, __ATOMIC_SEQ_CST);
  }
  test::ended_well(sender);
  CHECK(!receiver->pending());
  munmap(answers, 4096);
  close(sockets[0]);
  close(sockets[1]);
}

// What comes while the thread is about to sleep keeps it awake, or wakes it.
void a_sleeper_is_told(Choice choice) {
  JoinError error;
  auto receiver = DoorbellReceiver::open(choice, "SIGURG", &error);
  CHECK_OK(receiver != nullptr, error);
  const int fd = receiver->create_fd(kVector, &error);
  auto sender = DoorbellSender::open(fd, &error);
  CHECK_OK(sender != nullptr, error);
  sender->send();
  while (receiver->count(kVector) == 0) continue;
  CHECK(!receiver->arm());
  CHECK(receiver->take() != 0);
  CHECK(receiver->arm());
  sender->send();
  while (receiver->count(kVector) == 1) continue;
  uint64_t rings = 0;
  CHECK(read(receiver->event_fd(), &rings, sizeof rings) == sizeof rings && rings == 1);
  receiver->disarm();
  CHECK(receiver->take() != 0);
  // Gone, and no error to who rings.
  receiver.reset();
  sender->send();
  close(fd);
}

void what_is_no_doorbell_is_refused() {
  JoinError error;
  const int plain = memfd_create("plain", MFD_CLOEXEC);
  for (const int fd : {-1, 999, STDOUT_FILENO, plain}) {
    CHECK(DoorbellSender::open(fd, &error) == nullptr);
    CHECK_ERROR(error, "ERR_UINTR_INVALID_ARGUMENT", ("it is " + std::to_string(fd)).c_str());
  }
  close(plain);
}

// Who may signal everybody does not do it on another user's word: his page could name any process.
void a_doorbell_of_another_user_is_refused() {
  if (geteuid() != 0) return;
  int sockets[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
  test::Gate end;
  const pid_t other = test::child([&] {
    CHECK(setgid(12345) == 0 && setuid(12345) == 0);
    JoinError error;
    auto receiver = DoorbellReceiver::open(Choice::Signal, "SIGURG", &error);
    CHECK_OK(receiver != nullptr, error);
    const int fd = receiver->create_fd(kVector, &error);
    CHECK_OK(fd >= 0, error);
    CHECK(DoorbellSender::open(fd, &error) != nullptr);
    pass(sockets[1], fd);
    end.pass();
  });
  const int fd = passed(sockets[0]);
  JoinError error;
  CHECK(DoorbellSender::open(fd, &error) == nullptr);
  CHECK_ERROR(error, "ERR_UINTR_INVALID_ARGUMENT",
              ("of a process of this user made; it is " + std::to_string(fd)).c_str());
  end.open();
  test::ended_well(other);
  for (const int one : {fd, sockets[0], sockets[1]}) close(one);
}

}  // namespace

int main() {
  alarm(90);
  CHECK(uintr_probe().abi != nullptr);
  for (const Choice choice : {Choice::Signal, Choice::Uintr}) {
    a_descriptor_that_was_passed_rings(choice);
    a_sleeper_is_told(choice);
  }
  what_is_no_doorbell_is_refused();
  a_doorbell_of_another_user_is_refused();
  return test::report("doorbell");
}
