#include "stack/tcp/scoreboard.hpp"

namespace tunic::tcp {

void scoreboard::on_sent(seq begin, seq end, const transmission& t, std::uint32_t mss, bool pushed) {
  if (empty()) {
    clear();
    judged_to_ = lost_from_ = begin;
  }
  outstanding_ += distance(begin, end);
  const bool whole = distance(begin, end) > mss;
  if (!empty() && !whole) {
    run& last = runs_.back();
    // What leaves at one moment is judged alike.
    const bool alike = last.segment == mss && last.size() % mss == 0 && last.sent.app_limited == t.app_limited;
    if (last.sent.at == t.at && alike && !last.whole && !last.sacked && !last.lost && !last.again) {
      last.end = end;
      last.sent.in_flight = t.in_flight;
      last.pushed = pushed;
      return;
    }
  }
  run r;
  r.begin = begin;
  r.end = end;
  r.sent = t;
  r.segment = static_cast<std::uint16_t>(mss);
  r.pushed = pushed;
  r.whole = whole;
  runs_.push_back(r);
}

void scoreboard::on_sent_again(seq begin, seq end, const transmission& t, std::uint32_t mss) {
  std::size_t i = find(begin);
  if (i < runs_.size() && runs_[i].begin < begin) i = split(i, begin);
  for (; i < runs_.size() && runs_[i].begin < end; ++i) {
    if (runs_[i].end > end) split(i, end);
    run& r = runs_[i];
    if (r.sacked) continue;
    if (!r.resent) resent_ += r.size();
    r.resent = r.again = true;
    r.segment = static_cast<std::uint16_t>(mss);
    r.sent = t;
  }
  resends_.push_back({begin, end, t.at});
  if (lost_from_ >= begin) lost_from_ = max(lost_from_, end);
}

std::uint32_t scoreboard::mark_lost(seq begin, seq end) {
  std::uint32_t newly = 0;
  if (empty()) return 0;
  begin = max(begin, this->begin());
  end = min(end, back().end);
  std::size_t i = begin < end ? find(begin) : runs_.size();
  if (i < runs_.size() && runs_[i].begin < begin) i = split(i, begin);
  for (; i < runs_.size() && runs_[i].begin < end; ++i) {
    if (runs_[i].end > end) split(i, end);
    if (!runs_[i].sacked && !(runs_[i].lost && !runs_[i].resent)) newly += lose(runs_[i]);
  }
  return newly;
}

seq scoreboard::whole_segments(const run& r, seq at) {
  const std::uint32_t octets = distance(r.begin, at);
  return r.begin + (octets - octets % r.segment);
}

std::uint32_t scoreboard::lose(run& r) {
  if (!r.lost) lost_ += r.size();
  if (r.resent) resent_ -= r.size();
  r.lost = true;
  r.resent = false;
  lost_from_ = min(lost_from_, r.begin);
  return r.size();
}

void scoreboard::unmark_lost() {
  for (std::size_t i = head_; i < runs_.size(); ++i) runs_[i].lost = false;
  lost_ = 0;
  if (!empty()) judged_to_ = begin();
}

void scoreboard::forget_sacks() {
  for (std::size_t i = head_; i < runs_.size(); ++i) runs_[i].sacked = false;
  sacked_ = 0;
  if (!empty()) judged_to_ = lost_from_ = begin();
}

void scoreboard::clear() {
  runs_.clear();
  resends_.clear();
  head_ = resend_head_ = 0;
  outstanding_ = sacked_ = lost_ = resent_ = presumed_ = 0;
}

std::optional<scoreboard::stretch> scoreboard::next_lost() {
  if (lost_ == 0 || empty()) return std::nullopt;
  for (std::size_t i = find(max(lost_from_, begin())); i < runs_.size();) {
    const run& r = runs_[i];
    if (r.sacked) {
      lost_from_ = r.sacked_to;
      i = lost_from_ < back().end ? find(lost_from_) : runs_.size();
      continue;
    }
    if (r.lost && !r.resent) return stretch{r.begin, r.end};
    lost_from_ = r.end;
    ++i;
  }
  return std::nullopt;
}

bool scoreboard::pushed_within(seq begin, seq end) const {
  for (std::size_t i = empty() ? runs_.size() : find(begin); i < runs_.size() && runs_[i].end <= end; ++i)
    if (runs_[i].pushed) return true;
  return false;
}

std::uint32_t scoreboard::lost_within(seq begin, seq end) const {
  std::uint32_t lost = 0;
  for (std::size_t i = empty() ? runs_.size() : find(begin); i < runs_.size() && runs_[i].begin < end; ++i)
    if (runs_[i].lost) lost += distance(max(runs_[i].begin, begin), min(runs_[i].end, end));
  return lost;
}

std::size_t scoreboard::find(seq at) const {
  const auto first = runs_.begin() + static_cast<std::ptrdiff_t>(head_);
  const auto found = std::partition_point(first, runs_.end(), [&](const run& r) { return r.end <= at; });
  return static_cast<std::size_t>(found - runs_.begin());
}

std::size_t scoreboard::split(std::size_t i, seq at) {
  run right = runs_[i];
  right.begin = at;
  runs_[i].end = at;
  runs_[i].pushed = false;
  runs_.insert(runs_.begin() + static_cast<std::ptrdiff_t>(i) + 1, right);
  return i + 1;
}

// Drops the first of those that begin at `head`, which moves; now and then their places are used again.
template <class T>
void scoreboard::drop_first(std::vector<T>& all, std::size_t& head) {
  if (++head == all.size()) {
    all.clear();
    head = 0;
  } else if (head >= 64 && head * 2 >= all.size()) {
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(head));
    head = 0;
  }
}

void scoreboard::drop_front() {
  drop_first(runs_, head_);
}

void scoreboard::drop_resend() {
  drop_first(resends_, resend_head_);
}

}  // namespace tunic::tcp
