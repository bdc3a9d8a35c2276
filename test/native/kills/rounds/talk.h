// What ranks do without one that is stopped: they exchange messages with each other, while everything they have to do
// with it stays as it is.
#pragma once

namespace kills {

class Member;

// If somebody has been stopped since, talks with the others, once.
void keep_talking(Member* member);

}  // namespace kills
