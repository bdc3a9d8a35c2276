// Segments are what they promise to be: sealed, checked before use, and committed on demand.
//
// sources: src-native/bootstrap/memfd.cc
// sources: src-native/bootstrap/segments.cc src-native/bootstrap/error.cc
#include "bootstrap/segments.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <cerrno>

#include "tools.h"

using namespace uintr;
using Kind = Segment::Kind;

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

namespace {

uint64_t allocated(const Segment& s) {
  struct stat status;
  fstat(s.fd(), &status);
  return static_cast<uint64_t>(status.st_blocks) * 512;
}

Fd copy_of(const Segment& s) { return Fd(fcntl(s.fd(), F_DUPFD_CLOEXEC, 0)); }

bool is_mapped(void* at) {
  unsigned char page;
  return mincore(at, 4096, &page) == 0;
}

void a_control_segment_is_its_owners_alone() {
  Segment own, seen;
  JoinError error;
  CHECK_OK(Segment::create(Kind::Control, 1 << 20, &own, &error), error);
  own.base()[5] = 42;
  CHECK_OK(Segment::adopt(Kind::Control, copy_of(own), 1 << 20, "rank 1's control segment", &seen, &error), error);
  CHECK(seen.base()[5] == 42);
  CHECK(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, seen.fd(), 0) == MAP_FAILED && errno == EPERM);
  CHECK(mprotect(seen.base(), 4096, PROT_READ | PROT_WRITE) != 0 && errno == EACCES);
  CHECK(pwrite(seen.fd(), "x", 1, 0) < 0 && errno == EPERM);
  CHECK(fallocate(seen.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) != 0 && errno == EPERM);
  own.base()[5] = 43;
  CHECK(seen.base()[5] == 43);
}

void sizes_and_seals_are_fixed() {
  for (const Kind kind : {Kind::Control, Kind::Heap, Kind::World}) {
    Segment s;
    JoinError error;
    CHECK_OK(Segment::create(kind, 8192, &s, &error), error);
    CHECK(ftruncate(s.fd(), 4096) != 0 && errno == EPERM);
    CHECK(ftruncate(s.fd(), 16384) != 0 && errno == EPERM);
    CHECK(fcntl(s.fd(), F_ADD_SEALS, F_SEAL_WRITE) != 0 && errno == EPERM);
    CHECK((fcntl(s.fd(), F_GETFD) & FD_CLOEXEC) != 0);
  }
}

void what_is_not_sealed_or_sized_is_refused() {
  Segment out, world;
  JoinError error;
  Fd bare(memfd_create("bare", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  CHECK(ftruncate(bare.get(), 8192) == 0);
  CHECK(!Segment::adopt(Kind::Heap, std::move(bare), 8192, "rank 2's heap", &out, &error));
  CHECK_ERROR(error, "ERR_UINTR_PROTOCOL", "rank 2's heap lacks seals");
  // A heap's seals do not make a control segment.
  CHECK_OK(Segment::create(Kind::World, 8192, &world, &error), error);
  CHECK(!Segment::adopt(Kind::Control, copy_of(world), 8192, "rank 2's control segment", &out, &error));
  CHECK_ERROR(error, "ERR_UINTR_PROTOCOL", "lacks seals");
  CHECK(!Segment::adopt(Kind::World, copy_of(world), 4096, "the world segment", &out, &error));
  CHECK_ERROR(error, "ERR_UINTR_PROTOCOL", "has 8192 bytes instead of 4096");
  CHECK(
      !Segment::adopt(Kind::World, Fd(open("/dev/null", O_RDWR | O_CLOEXEC)), 4096, "the world segment", &out, &error));
  CHECK_ERROR(error, "ERR_UINTR_PROTOCOL", "is not a memfd");
  CHECK(!out);
}

// All that is asked of a segment, but in memory that can be gone when it is touched, or that is another user's.
void what_could_fail_when_touched_is_refused() {
  constexpr uint64_t kHuge = 2 << 20;
  Segment out;
  JoinError error;
  Fd huge(memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB));
  // Where the kernel has no huge pages at all there is nothing to be refused.
  if (huge) {
    CHECK(ftruncate(huge.get(), kHuge) == 0);
    CHECK(fcntl(huge.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0);
    CHECK(!Segment::adopt(Kind::Heap, std::move(huge), kHuge, "rank 2's heap", &out, &error));
    CHECK_ERROR(error, "ERR_UINTR_PROTOCOL", "rank 2's heap is made of huge pages");
  }
  if (geteuid() != 0) return;
  Segment own;
  CHECK_OK(Segment::create(Kind::Heap, kHuge, &own, &error), error);
  CHECK(fchown(own.fd(), 12345, 12345) == 0);
  CHECK(!Segment::adopt(Kind::Heap, copy_of(own), kHuge, "rank 2's heap", &out, &error));
  CHECK_ERROR(error, "ERR_UINTR_PROTOCOL", "rank 2's heap was made by user 12345, this is user 0");
}

void nobody_can_execute_it() {
  Segment s;
  JoinError error;
  CHECK_OK(Segment::create(Kind::Heap, 8192, &s, &error), error);
  struct stat status;
  CHECK(fstat(s.fd(), &status) == 0);
  Fd plain(memfd_create("plain", MFD_CLOEXEC | MFD_NOEXEC_SEAL));
  CHECK((status.st_mode & 0111) == (plain ? 0 : 0111));  // the kernel does not know of it before Linux 6.3
}

void memory_exists_when_committed_and_not_before() {
  Segment s;
  JoinError error;
  CHECK_OK(Segment::create(Kind::Heap, uint64_t{1} << 36, &s, &error), error);
  CHECK(allocated(s) == 0);
  CHECK(s.commit(4097, 1) == 0);
  CHECK(allocated(s) == 4096);
  CHECK(s.commit(0, 8193) == 0);
  CHECK(allocated(s) == 3 * 4096);
  CHECK(s.commit(4096, 4096) == 0);
  CHECK(allocated(s) == 3 * 4096);
  CHECK(s.commit(uint64_t{1} << 36, 1) == EINVAL);
  CHECK(s.commit(~uint64_t{0}, 2) == EINVAL);
  CHECK(s.commit(0, 0) == 0);
}

// A signal makes the kernel undo a whole fallocate.
void commit_ends_under_a_rain_of_signals() {
  signal(SIGALRM, [](int) {});
  const itimerval often{{0, 100}, {0, 100}};
  setitimer(ITIMER_REAL, &often, nullptr);
  Segment s;
  JoinError error;
  CHECK_OK(Segment::create(Kind::Heap, 32 << 20, &s, &error), error);
  CHECK(s.commit(0, 32 << 20) == 0);
  const itimerval never{};
  setitimer(ITIMER_REAL, &never, nullptr);
  CHECK(allocated(s) == 32 << 20);
}

void a_forked_child_has_no_mapping() {
  Segment s;
  JoinError error;
  CHECK_OK(Segment::create(Kind::World, 8192, &s, &error), error);
  unsigned char* at = s.base();
  CHECK(is_mapped(at));
  test::ended_well(test::child([&] { CHECK(!is_mapped(at)); }));
}

void the_heap_lives_until_its_last_user() {
  Segment s;
  JoinError error;
  CHECK_OK(Segment::create(Kind::Heap, 8192, &s, &error), error);
  HeapMapping* heap = HeapMapping::create(std::move(s));
  unsigned char* at = heap->base();
  heap->retain();
  heap->close_fd();
  heap->release();
  at[0] = 1;
  CHECK(is_mapped(at));
  heap->release();
  CHECK(!is_mapped(at));
}

void a_header_of_another_world_is_refused() {
  Segment s;
  JoinError error;
  const Geometry g = test::geometry(2);
  CHECK_OK(Segment::create(Kind::Control, 8192, &s, &error), error);
  CHECK(!check_control_header(s.base(), g, 1, 7, &error));
  CHECK_ERROR(error, "ERR_UINTR_PROTOCOL", "magic");
  write_control_header(s.base(), g, 1, 7, 99);
  CHECK_OK(check_control_header(s.base(), g, 1, 7, &error), error);
  CHECK(!check_control_header(s.base(), g, 0, 7, &error));
  CHECK(!check_control_header(s.base(), g, 1, 8, &error));
  CHECK(!check_control_header(s.base(), test::geometry(3), 1, 7, &error));
}

}  // namespace

int main() {
  const int before = test::open_descriptors();
  a_control_segment_is_its_owners_alone();
  sizes_and_seals_are_fixed();
  what_is_not_sealed_or_sized_is_refused();
  what_could_fail_when_touched_is_refused();
  nobody_can_execute_it();
  memory_exists_when_committed_and_not_before();
  commit_ends_under_a_rain_of_signals();
  a_forked_child_has_no_mapping();
  the_heap_lives_until_its_last_user();
  a_header_of_another_world_is_refused();
  CHECK(test::open_descriptors() == before);
  return test::report("segments");
}
