#include "bootstrap/wire.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>

namespace uintr::wire {
namespace {

// 0: no such type. Peers varies.
size_t bytes_of(Type type) {
  switch (type) {
    case Type::Hello:
      return sizeof(Hello);
    case Type::Fetch:
      return sizeof(Fetch);
    case Type::Mapped:
    case Type::AskMissing:
    case Type::Go:
      return sizeof(Plain);
    case Type::Welcome:
      return sizeof(Welcome);
    case Type::Refused:
    case Type::Missing:
      return sizeof(Text);
    case Type::Peers:
      return sizeof(Peers);
    case Type::Present:
      return sizeof(Present);
    case Type::Return:
      return sizeof(Return);
  }
  return 0;
}

union Control {
  cmsghdr align;
  char bytes[CMSG_SPACE(sizeof(int) * kMaxFds) + CMSG_SPACE(sizeof(ucred))];
};

void take_control(msghdr* header, Received* out) {
  for (cmsghdr* c = CMSG_FIRSTHDR(header); c != nullptr; c = CMSG_NXTHDR(header, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SCM_CREDENTIALS) memcpy(&out->credentials, CMSG_DATA(c), sizeof(ucred));
    if (c->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      Fd owned(fd);
      if (out->fd_count < kMaxFds) out->fds[out->fd_count++] = std::move(owned);
    }
  }
}

}  // namespace

int send(int socket, const void* message, size_t bytes, const int* fds, uint32_t fd_count) {
  iovec part{const_cast<void*>(message), bytes};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  Control control;
  if (fd_count > 0) {
    memset(&control, 0, sizeof control);
    header.msg_control = &control;
    header.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
    memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
  }
  for (;;) {
    const ssize_t sent = sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return 0;
    if (errno != EINTR) return errno;
  }
}

void receive(int socket, Received* out) {
  iovec part{&out->message, sizeof out->message};
  Control control;
  msghdr header{};
  ssize_t got;
  // Twice at most: an error that waits on the socket is told before the packets that were queued ahead of it.
  for (int resets = 0;;) {
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = &control;
    header.msg_controllen = sizeof control;
    got = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got >= 0 || (errno != EINTR && !(errno == ECONNRESET && resets++ == 0))) break;
  }
  if (got < 0) {
    out->what = errno == EAGAIN ? Received::What::Nothing : Received::What::Closed;
    return;
  }
  take_control(&header, out);
  if (got == 0) {
    out->what = Received::What::Closed;
    return;
  }
  const Head& head = out->message.head;
  const auto length = static_cast<size_t>(got);
  out->what = Received::What::Garbage;
  if ((header.msg_flags & MSG_CTRUNC) != 0) {
    out->out_of_descriptors = true;
    return;
  }
  if ((header.msg_flags & MSG_TRUNC) != 0 || length < sizeof(Head) || head.magic != kMagic) return;
  // Another version is let through by its head alone, so that the answer can say so.
  if (head.version == kVersion && length != bytes_of(head.type)) return;
  out->what = Received::What::Message;
}

bool want_credentials(int socket) {
  const int on = 1;
  return setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0;
}

std::string text_of(const Text& message) { return std::string(message.text, strnlen(message.text, kTextBytes)); }

Text make_text(Type type, const std::string& text, uint32_t code, bool retry) {
  Text message{};
  message.head = Head{.type = type};
  message.retry = retry ? 1 : 0;
  message.code = code;
  memcpy(message.text, text.data(), text.size() < kTextBytes ? text.size() : kTextBytes);
  return message;
}

}  // namespace uintr::wire
