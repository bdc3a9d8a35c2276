// How ranks find each other, and what they hold when they have: all of it.
#pragma once

#include "bootstrap/error.h"
#include "bootstrap/fd.h"
#include "bootstrap/hub.h"
#include "bootstrap/join.h"
#include "bootstrap/liveness.h"
#include "bootstrap/segments.h"
