// The descriptor of a receiver thread, in a memfd of its own. A vector's descriptor is another open file of that memfd,
// with the vector in its file offset: so it crosses SCM_RIGHTS, fork, exec and pidfd_getfd as the kernel's does.
#pragma once

#include <cstdint>

namespace emulator {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kPageMagic = 0x6469'7075'7274'6e69;
constexpr long kVectorOffset = 0x5549'4e54'0000;  // + vector; far beyond the end, so that reads move nothing
constexpr uint32_t kVectors = 64;

constexpr uint32_t kOn = 1, kSn = 2;

struct UpidPage {
  // As the SDM has them: ON bit 0, SN bit 1, NV bits 16-23, NDST bits 32-63; then PIR.
  uint32_t status;
  uint32_t ndst;
  uint64_t pir;
  // What the emulator adds.
  uint64_t magic;
  uint64_t task;       // inode of the thread's pidfd: no other task ever has it
  int32_t pid, tid;
  int32_t signal_number;
  uint32_t ended;      // the thread has exited
};

// Another open file of the same memfd; negative errno.
long reopen(int fd);
// Maps the descriptor behind `fd`; null, if that is not one. *vector: which one `fd` stands for.
UpidPage* upid_map(int fd, uint32_t* vector, uint64_t* inode);
void upid_unmap(UpidPage* page);

// Opens a pidfd of that thread, out of the way of the program's; negative errno. -EINVAL: the kernel has none for
// threads.
long thread_fd(int tid);
uint64_t inode_of(int fd);
// A descriptor number where programs that count theirs are not confused.
long out_of_the_way(long fd);

}  // namespace emulator
