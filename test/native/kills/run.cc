#include "run.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <new>
#include <vector>

#include "member.h"
#include "process.h"

namespace kills {

namespace {

class Run {
 public:
  Run(const Plan& plan, Board* board, const std::string& directory, uint32_t hang_seconds)
      : plan_(plan), board_(board), hangs_after_us_(uint64_t{hang_seconds} * 1'000'000) {
    where_.directory = directory;
    where_.name = "kills-" + std::to_string(plan.seed);
  }

  Outcome go() {
    begin();
    const uint64_t end = now_us() + hangs_after_us_;
    while (outcome_.wrong.empty() && !all_ended()) {
      look();
      if (now_us() > end) on_hang();
    }
    finish();
    outcome_.threads = board_->ended.load();
    return outcome_;
  }

 private:
  void begin() {
    new (board_) Board();
    board_->mortal = plan_.mortal();
    if (plan_.meeting == Meeting::Launched) processes_.push_back(start_launcher(plan_, board_, &where_));
    for (uint32_t rank = 0; rank < kRanks; ++rank)
      if (plan_.process_of(rank) == rank) start(rank, 0);
    for (int& socket : where_.sockets) {
      if (socket >= 0) close(socket);
      socket = -1;
    }
  }

  void start(uint32_t number, uint32_t life) { processes_.push_back(start_ranks(plan_, board_, number, life, where_)); }

  void look() {
    std::vector<pollfd> fds;
    for (const Process& p : processes_)
      if (!p.is_gone) fds.push_back({p.gone, POLLIN, 0});
    ::poll(fds.data(), fds.size(), 2);
    reap();
    for (size_t i = 0; i < processes_.size() && outcome_.wrong.empty(); ++i) {
      pollfd hung{processes_[i].gone, POLLIN, 0};
      if (processes_[i].is_gone || ::poll(&hung, 1, 0) <= 0) continue;
      processes_[i].is_gone = true;
      on_gone(processes_[i].number, processes_[i].life);
    }
    if (stopped_ != nullptr && others_have_talked()) resume();
    if (is_time_for_the_launcher()) kill_launcher();
    see_whether_over();
  }

  // Statuses and stops, of whatever child there is.
  void reap() {
    for (;;) {
      int status;
      const pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED);
      if (pid <= 0) return;
      Process* p = nullptr;
      for (Process& one : processes_)
        if (one.pid == pid) p = &one;
      if (p == nullptr) return fail("a process that nobody has started was left behind");
      if (WIFSTOPPED(status)) {
        on_stopped(p);
        continue;
      }
      p->reaped = true;
      p->status = status;
      // Of what was executed in its place a notification makes an end that the emulator still sends to that pid.
      const bool notified = plan_.driver == uintr::DriverOptions::Choice::Uintr && arm(*p).how == How::Exec;
      const bool killed = WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || notified);
      const bool meant = trail(*p).died.load() != 0 || (p->number == kLauncher && launcher_killed_);
      if (!(WIFEXITED(status) && WEXITSTATUS(status) == 0) && !(killed && meant))
        fail("process " + std::to_string(p->number) + ", life " + std::to_string(p->life) +
             (WIFSIGNALED(status) ? ", was ended by signal " + std::to_string(WTERMSIG(status))
                                  : ", ended with code " + std::to_string(WEXITSTATUS(status))));
    }
  }

  Trail& trail(const Process& p) { return board_->trails[p.number][p.life]; }
  const Arm& arm(const Process& p) { return plan_.arms[p.number][p.life]; }
  Stage stage(uint32_t rank) const { return board_->stage_of(rank); }
  bool is_early(uint32_t rank) const { return (plan_.early() >> rank & 1) != 0; }

  void on_gone(uint32_t number, uint32_t life) {
    const bool comes_back = plan_.meeting == Meeting::Elastic && number == plan_.leaver && life + 1 < kMostLives;
    if (comes_back && stage(number) == Stage::Left && board_->over.load() != 2) return start(number, life + 1);
    // Who was stopped, and went on, has ended by itself.
    const bool died = board_->trails[number][life].died.load() != 0 && plan_.arms[number][life].deadly();
    if (died) ++outcome_.deaths;
    if (!died || number == kLauncher || life + 1 == kMostLives || board_->over.load() == 2) return;
    // A rank of a world that did not come to be takes its place anew; of an elastic one, always.
    if (plan_.meeting == Meeting::Elastic || (plan_.meeting == Meeting::Named && !others_joined(number)))
      start(number, life + 1);
  }

  // A world comes to be for all its ranks at once: one that has joined tells of the others.
  bool others_joined(uint32_t number) const {
    for (uint32_t rank = 0; rank < kRanks; ++rank)
      if (plan_.process_of(rank) != number && stage(rank) >= Stage::Joined) return true;
    return false;
  }
  bool joined_without(const Process& p) const {
    for (uint32_t rank = 0; rank < kRanks; ++rank) {
      const bool joined = rank != p.number && stage(rank) >= Stage::Joined;
      if (joined && board_->sees[rank][p.number].load() != p.pid) return true;
    }
    return false;
  }

  void on_stopped(Process* p) {
    stopped_ = p;
    ++outcome_.stops;
    board_->stopped.fetch_add(1);
    nudge();
  }
  // Those that are in the world, and have nothing to wait for but each other, do without it. One that is on its way there
  // may be waiting for just the word that the stopped one was about to say, and the others for that one.
  bool others_have_talked() const {
    bool all_have = true, on_its_way = false;
    for (uint32_t rank = 0; rank < kRanks; ++rank) {
      if ((plan_.unsteady() >> rank & 1) != 0) continue;
      const Stage at = stage(rank);
      if (at > Stage::Ready || is_gone(plan_.process_of(rank))) continue;
      if (at < Stage::Joined) on_its_way |= at != Stage::NotJoined;
      else all_have &= board_->talked[rank].load() == board_->stopped.load();
    }
    return all_have || on_its_way;
  }
  void resume() {
    kill(stopped_->pid, arm(*stopped_).how == How::StopKill ? SIGKILL : SIGCONT);
    stopped_ = nullptr;
  }

  // Whoever has started the ranks may end before them: they are in their world, or all learn that there is none.
  bool is_time_for_the_launcher() const {
    const uint32_t rank = plan_.launcher_outlived_by;
    return rank != uintr::kNone && !launcher_killed_ && stage(rank) >= Stage::Joined &&
           board_->where[rank].load() >= plan_.launcher_outlived_in;
  }
  void kill_launcher() {
    launcher_killed_ = true;
    if (processes_[0].is_gone) return;
    ++outcome_.deaths;
    kill(processes_[0].pid, SIGKILL);
  }

  bool is_gone(uint32_t number) const {
    for (const Process& p : processes_)
      if (p.number == number && !p.is_gone) return false;
    return true;
  }

  void see_whether_over() {
    // What was started for a world that has come to be without it is not needed.
    for (const Process& p : processes_) {
      if (plan_.meeting != Meeting::Named || p.life == 0 || p.is_gone || stage(p.number) > Stage::Joining) continue;
      if (joined_without(p)) tell(p.cancel);
    }
    if (board_->over.load() == 0 && everybody(Stage::Through)) {
      bool gone = plan_.arms[kLauncher][0].name.empty() || is_gone(kLauncher) || joined();
      for (uint32_t rank = 0; rank < kRanks; ++rank) {
        gone = gone && (!is_early(rank) || stage(rank) == Stage::Left || is_gone(plan_.process_of(rank)));
      }
      if (gone) set_over(1);
    }
    if (board_->over.load() == 1 && everybody(Stage::Ready)) set_over(2);
    const bool launched = plan_.meeting == Meeting::Launched && !processes_[0].is_gone;
    if (launched && !told_launcher_ && (none_joins() || board_->over.load() == 2)) {
      told_launcher_ = true;
      tell(processes_[0].cancel);
    }
  }
  // Have all come this far that are to stay to the end, in the life that is there now?
  bool everybody(Stage far) const {
    uint32_t alive = 0;
    for (uint32_t rank = 0; rank < kRanks; ++rank) {
      if (is_early(rank)) continue;
      if (stage(rank) == Stage::NotJoined || stage(rank) < far || is_gone(plan_.process_of(rank))) return false;
      if (stage(rank) > Stage::Ready) return false;  // goes, and comes back
      alive |= 1u << rank;
    }
    board_->alive = alive;
    return true;
  }
  bool joined() const {
    for (uint32_t rank = 0; rank < kRanks; ++rank)
      if (!is_early(rank) && (stage(rank) < Stage::Joined)) return false;
    return true;
  }
  bool none_joins() const {
    for (uint32_t rank = 0; rank < kRanks; ++rank)
      if (stage(rank) != Stage::NotJoined && !is_gone(plan_.process_of(rank))) return false;
    return true;
  }
  void set_over(uint32_t to) {
    board_->over = to;
    nudge();
  }
  void nudge() {
    for (const Process& p : processes_)
      for (const int fd : p.nudge)
        if (fd >= 0 && !p.is_gone) tell(fd);
  }
  static void tell(int fd) {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = write(fd, &one, sizeof one);
  }

  bool all_ended() {
    for (const Process& p : processes_) {
      if (!p.is_gone) return false;
      // What was executed in its place stays until then.
      if (!p.reaped && arm(p).how == How::Exec && trail(p).died.load() != 0) continue;
      if (!p.reaped) return false;
    }
    return true;
  }

  void fail(const std::string& what) {
    if (outcome_.wrong.empty()) outcome_.wrong = what;
  }

  void on_hang() {
    fail("hangs: " + where_everybody_is());
    if (getenv("KILLS_STAY") != nullptr) return;
    board_->asked = 1;
    nudge();
    usleep(500'000);  // what they say only helps to understand
  }

  std::string where_everybody_is() {
    constexpr const char* kStages[] = {"starting", "joining", "not joined", "joined", "through", "ready", "leaving", "left"};
    std::string s;
    for (uint32_t rank = 0; rank < kRanks; ++rank)
      s += "rank " + std::to_string(rank) + " (life " + std::to_string(board_->life[rank].load()) + ") is " +
           kStages[board_->stage[rank].load()] + " in round " + std::to_string(board_->where[rank].load()) + "; ";
    for (const Process& p : processes_)
      s += "process " + std::to_string(p.number) + " life " + std::to_string(p.life) + (p.is_gone ? " is gone" : "") +
           (trail(p).died.load() != 0 ? ", at " + failpoints()[trail(p).died.load() - 1] : "") + "; ";
    return s + "over " + std::to_string(board_->over.load());
  }

  // Nobody is left, whatever has happened, and nothing of theirs.
  void finish() {
    if (!outcome_.wrong.empty() && getenv("KILLS_STAY") != nullptr) {
      fprintf(stderr, "%s\n%s\nstays; runner %d\n", plan_.text().c_str(), outcome_.wrong.c_str(), getpid());
      for (const Process& p : processes_) fprintf(stderr, "process %u life %u pid %d\n", p.number, p.life, p.pid);
      pause();
    }
    for (Process& p : processes_) {
      if (!p.reaped) {
        kill(p.pid, SIGKILL);
        waitpid(p.pid, &p.status, 0);
      }
      for (const int fd : {p.gone, p.cancel, p.nudge[0], p.nudge[1]})
        if (fd >= 0) close(fd);
    }
    if (waitpid(-1, nullptr, WNOHANG) != -1) fail("a process is left");
    if (!outcome_.wrong.empty()) return clear_names();
    judge_joining();
    judge_lives();
    judge_names();
  }

  // A launched world comes to be for all, or for none.
  void judge_joining() {
    bool some = false, none = false;
    for (uint32_t rank = 0; rank < kRanks; ++rank) {
      if (is_early(rank)) continue;
      (stage(rank) == Stage::NotJoined ? none : some) = true;
    }
    if (some && none) fail("some have joined, and some not");
  }

  void judge_lives() {
    if (plan_.meeting != Meeting::Elastic) return;
    for (uint32_t rank = 1; rank < kRanks; ++rank)
      for (uint32_t of = 0; of < kRanks; ++of)
        if (board_->incarnations[rank][of].load() != board_->incarnations[0][of].load())
          fail("rank " + std::to_string(rank) + " counts " + std::to_string(board_->incarnations[rank][of].load()) +
               " returns of rank " + std::to_string(of) + ", rank 0 counts " +
               std::to_string(board_->incarnations[0][of].load()));
  }

  // Of a name nothing is left but what its next user takes over, and leaves in order.
  void judge_names() {
    if (plan_.meeting == Meeting::Launched) return;
    uintr::JoinRequest r;
    r.name = where_.name;
    r.runtime_dir = where_.directory;
    r.geometry = {1, 64, 16384, 1024, 8, 0, 1 << 20};
    r.wanted_rank = 0;
    r.timeout_ms = 5000;
    std::unique_ptr<uintr::Joined> joined;
    uintr::JoinError error;
    if (!uintr::join(r, &joined, &error)) return fail("the name cannot be used again: " + error.message);
    joined.reset();
    for (const auto& entry : std::filesystem::directory_iterator(where_.directory + "/uintr"))
      fail("left behind: " + entry.path().filename().string());
    clear_names();
  }
  void clear_names() {
    std::error_code ignored;
    std::filesystem::remove_all(where_.directory + "/uintr", ignored);
  }

  const Plan& plan_;
  Board* board_;
  const uint64_t hangs_after_us_;
  Where where_;
  std::vector<Process> processes_;
  Process* stopped_ = nullptr;
  bool told_launcher_ = false, launcher_killed_ = false;
  Outcome outcome_;
};

}  // namespace

Outcome run_once(const Plan& plan, Board* board, const std::string& directory, uint32_t hang_seconds) {
  return Run(plan, board, directory, hang_seconds).go();
}

}  // namespace kills
