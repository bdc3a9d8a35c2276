// Whether a rank's geometry is that of the world it wants to join.
#pragma once

#include <string>

#include "engine/layout.h"

namespace uintr {

// Empty: it is. Else an error's text, with the argument and both values.
std::string difference(const Geometry& given, const Geometry& expected, const std::string& world);

}  // namespace uintr
