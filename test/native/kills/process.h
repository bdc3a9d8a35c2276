// The processes of a run: ranks, one or two to a process, and the launcher that holds the hub of a launched world.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "board.h"
#include "plan.h"

namespace kills {

struct Process {
  uint32_t number = 0;  // of the first rank in it, or kLauncher
  uint32_t life = 0;
  pid_t pid = -1;
  int gone = -1;        // hangs up when the program of this process is over, also if another follows it
  int cancel = -1;      // ends a join that nobody needs any more
  int nudge[2] = {-1, -1};  // by rank in it: written when the board has news
  bool is_gone = false, reaped = false;
  int status = 0;
};

struct Where {
  std::string directory, name;  // of a named world
  int sockets[kRanks] = {-1, -1, -1};
};

// Forks it. It ends when the runner does.
Process start_ranks(const Plan& plan, Board* board, uint32_t number, uint32_t life, const Where& where);
// Also gives the ranks' sockets.
Process start_launcher(const Plan& plan, Board* board, Where* where);

// Of the calling process.
int open_descriptors();
int threads();
int world_mappings();

}  // namespace kills
