#include "choices.h"

#include <algorithm>
#include <cstdlib>

namespace simulator {

bool Exhaustive::next() {
  if (!first_) {
    while (!path_.empty() && path_.back().chosen + 1 == path_.back().count) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().chosen;
  }
  first_ = false;
  restart();
  spent_ = 0;
  depth_ = 0;
  return true;
}

uint32_t Exhaustive::pick(uint32_t, const Option* options, uint32_t count) {
  uint32_t left = bound_ - spent_;
  uint32_t affordable = 0;
  for (uint32_t i = 0; i < count; ++i) affordable += options[i].cost <= left;
  if (affordable <= 1) return 0;
  if (depth_ == path_.size()) path_.push_back({0, affordable});
  uint32_t wanted = path_[depth_++].chosen;
  for (uint32_t i = 0; i < count; ++i) {
    if (options[i].cost > left) continue;
    if (wanted-- == 0) {
      spent_ += options[i].cost;
      return i;
    }
  }
  return 0;
}

void Randomized::begin(uint64_t seed, uint32_t expected_points) {
  restart();
  random_ = Random(seed);
  events_.clear();
  event_ = 0;
  few_events_ = random_.one_in(2);
  if (few_events_) {
    uint32_t n = 1 + random_.below(8);
    for (uint32_t i = 0; i < n; ++i) events_.push_back(random_.below(expected_points + 1));
    std::sort(events_.begin(), events_.end());
  }
  // Of 65536, each kind by itself: never, rarely, often.
  static constexpr uint32_t kDegrees[] = {0, 100, 700, 4000, 20000};
  for (uint32_t& f : frequency_) f = kDegrees[random_.below(5)];
  frequency_[static_cast<int>(Step::Foreign)] /= 16;  // else handlers are all that runs
  frequency_[static_cast<int>(Step::Die)] = random_.one_in(2) ? 40 : 400;
  if (random_.one_in(4)) frequency_[static_cast<int>(Step::Hold)] = 65536;
  if (frequency_[static_cast<int>(Step::Drain)] == 0) frequency_[static_cast<int>(Step::Drain)] = 100;
}

uint32_t Randomized::pick(uint32_t point, const Option* options, uint32_t count) {
  if (options[1].step == Step::Next) return random_.below(count);
  if (few_events_) {
    if (event_ == events_.size() || point < events_[event_]) return 0;
    ++event_;
    return 1 + random_.below(count - 1);
  }
  uint64_t r = random_.next();
  for (uint32_t i = 1; i < count; ++i) {
    if ((r & 0xffff) < frequency_[static_cast<int>(options[i].step)]) return i;
    r = i % 4 == 0 ? random_.next() : r >> 16;
  }
  return 0;
}

uint32_t Replayed::pick(uint32_t point, const Option*, uint32_t count) {
  while (at_ < wanted_.size() && wanted_[at_].point < point) ++at_;
  if (at_ == wanted_.size() || wanted_[at_].point != point) return 0;
  return std::min(wanted_[at_++].option, count - 1);
}

std::string to_text(const std::vector<Choices::Taken>& taken) {
  std::string text;
  for (const auto& t : taken) {
    if (!text.empty()) text += ',';
    text += std::to_string(t.point) + '=' + std::to_string(t.option);
  }
  return text;
}

std::vector<Choices::Taken> from_text(const std::string& text) {
  std::vector<Choices::Taken> taken;
  const char* p = text.c_str();
  while (*p != 0) {
    char* end;
    auto point = static_cast<uint32_t>(std::strtoul(p, &end, 10));
    if (*end != '=') break;
    auto option = static_cast<uint32_t>(std::strtoul(end + 1, &end, 10));
    taken.push_back({point, option});
    p = *end == ',' ? end + 1 : end;
  }
  return taken;
}

}  // namespace simulator
