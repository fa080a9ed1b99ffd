#include "tests/tcp/bottleneck.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tunic::test {
namespace {

using namespace std::chrono_literals;
using tcp::recovery_phase;

constexpr std::uint32_t wire_overhead = 40;  // of a segment, in the queue and on the wire

duration seconds(double s) {
  return duration{static_cast<std::int64_t>(s * 1e9)};
}
double in_seconds(duration d) {
  return std::chrono::duration<double>(d).count();
}

}  // namespace

flow::flow(bottleneck& b, std::unique_ptr<tcp::congestion_control> cc, instant start)
    : path_(b), cc_(std::move(cc)), start_(start) {}

flow& bottleneck::add(tcp::congestion_algorithm a, instant start, std::uint64_t seed) {
  flows_.push_back(std::make_unique<flow>(*this, tcp::make_congestion_control(a, seed), start));
  at(start, kind::send, *flows_.back());
  return *flows_.back();
}

void bottleneck::at(instant when, kind what, flow& f, std::uint64_t number, bool marked) {
  events_.push({when, order_++, what, &f, number, marked});
}

double bottleneck::queued(instant now) const {
  return free_ > now ? in_seconds(free_ - now) * p_.rate : 0;
}

void bottleneck::carry(flow& f, std::uint64_t number, instant now) {
  constexpr double size = flow::mss + wire_overhead;
  if (std::uniform_real_distribution<>{}(chance_) < p_.loss) return;
  const double before = queued(now);
  if (before + size > p_.queue) {
    ++dropped_;
    return;
  }
  most_queued_ = std::max(most_queued_, before + size);
  free_ = std::max(free_, now) + seconds(size / p_.rate);
  instant back = free_ + p_.rtt;
  if (p_.aggregate > duration{}) back += p_.aggregate - back.time_since_epoch() % p_.aggregate;
  at(back, kind::arrival, f, number, before > p_.mark_above);
}

void bottleneck::run(instant until, const std::function<void(instant)>& each) {
  instant tick = events_.empty() ? until : events_.top().when;
  while (!events_.empty() && events_.top().when <= until) {
    const event e = events_.top();
    events_.pop();
    for (; each && tick <= e.when; tick += 1ms) each(tick);
    switch (e.what) {
      case kind::arrival: e.who->arrives(e.number, e.marked, e.when); break;
      case kind::send:
        e.who->waiting_ = false;
        e.who->send(e.when);
        break;
      case kind::timer: e.who->expires(e.when); break;
    }
  }
}

void flow::send(instant now) {
  if (!established_) {
    established_ = true;
    cc_->on_established(10 * mss, mss, path_.p_.rtt, now);
    srtt_ = path_.p_.rtt;
    rttvar_ = srtt_ / 2;
    delivered_at_ = first_sent_ = now;
  }
  while (in_flight_ < cc_->cwnd()) {
    if (next_send_ > now) {
      if (!std::exchange(waiting_, true)) path_.at(next_send_, bottleneck::kind::send, *this);
      break;
    }
    const bool app_limited = app_limited_until_ > total_delivered_;
    const bool waits = now < paused_until_ ||
                       (user_rate_ > 0 && static_cast<double>(user_sent_) >= user_rate_ * in_seconds(now - start_));
    if (again_.empty() && waits) {
      app_limited_until_ = total_delivered_ + std::max(in_flight_, 1u);
      if (!std::exchange(waiting_, true)) path_.at(now + 10ms, bottleneck::kind::send, *this);
      break;
    }
    transmission t;
    t.again = !again_.empty();
    if (t.again) {
      t.segment = again_.front();
      again_.pop_front();
      if (got_[t.segment]) continue;
    } else {
      t.segment = next_++;
      got_.push_back(false);
      user_sent_ += mss;
    }
    if (in_flight_ == 0) delivered_at_ = first_sent_ = now;
    cc_->on_send(mss, in_flight_, app_limited, now);
    t.sent = now;
    t.first_sent = first_sent_;
    t.delivered_at = delivered_at_;
    t.delivered = total_delivered_;
    t.lost = total_lost_;
    in_flight_ += mss;
    t.in_flight = in_flight_;
    t.app_limited = app_limited;
    const std::uint64_t number = base_ + sent_.size();
    sent_.push_back(t);
    path_.carry(*this, number, now);
    if (const auto rate = cc_->pacing_rate(); rate > 0)
      next_send_ = std::max(next_send_, now - 1ms) + seconds((mss + 0.0) / static_cast<double>(rate));
    if (timer_ == instant{}) arm(now);
  }
  most_in_flight_ = std::max(most_in_flight_, in_flight_);
  if (in_flight_ >= cc_->cwnd()) {
    limited_ = true;
    limited_at_ = total_delivered_ + in_flight_;
  }
}

void flow::arm(instant now) {
  timer_ = now + rto_ * (1 << std::min(backoff_, 6u));
  path_.at(timer_, bottleneck::kind::timer, *this);
}

void flow::lose(transmission& t, tcp::ack_facts& f) {
  t.gone = true;
  in_flight_ -= mss;
  f.lost += mss;
  total_lost_ += mss;
  f.loss = {mss, t.in_flight, static_cast<std::uint32_t>(total_lost_ - t.lost), t.app_limited};
  again_.push_back(t.segment);
}

void flow::arrives(std::uint64_t number, bool marked, instant now) {
  if (number < base_) return;
  transmission t = sent_[number - base_];
  if (got_[t.segment]) {  // a second copy
    if (!std::exchange(sent_[number - base_].gone, true)) in_flight_ -= mss;
    return send(now);
  }
  tcp::ack_facts f;
  f.now = now;
  f.prior_in_flight = in_flight_;
  const std::uint32_t before = in_flight_;
  got_[t.segment] = true;
  if (!t.gone) in_flight_ -= mss;
  sent_[number - base_].gone = true;
  const std::uint64_t una = una_;
  while (una_ < next_ && got_[una_]) ++una_;
  f.acked = static_cast<std::uint32_t>((una_ - una) * mss);
  f.delivered = mss;
  f.marked = marked ? mss : 0;
  total_delivered_ += mss;
  delivered_at_ = now;
  f.total_delivered = total_delivered_;
  f.round_start = t.delivered >= round_end_;
  if (f.round_start) {
    round_end_ = total_delivered_;
    most_in_flight_ = in_flight_;
  }
  if (!t.again) {
    f.rtt = now - t.sent;
    const duration off = *f.rtt > srtt_ ? *f.rtt - srtt_ : srtt_ - *f.rtt;
    rttvar_ += (off - rttvar_) / 4;
    srtt_ += (*f.rtt - srtt_) / 8;
    rto_ = std::max<duration>(200ms, srtt_ + 4 * rttvar_);
    min_rtt_ = min_rtt_ == duration{} ? *f.rtt : std::min(min_rtt_, *f.rtt);
  }
  f.srtt = srtt_;
  f.min_rtt = min_rtt_;
  f.paced = true;

  // The delivery rate (draft-ietf-ccwg-bbr §4.1.2).
  first_sent_ = t.sent;
  f.rate.delivered = total_delivered_ - t.delivered;
  f.rate.interval = std::max(now - t.delivered_at, t.sent - t.first_sent);
  if (min_rtt_ > duration{} && f.rate.interval < min_rtt_) f.rate.interval = duration{};
  f.rate.prior_delivered = t.delivered;
  f.rate.tx_in_flight = t.in_flight;
  f.rate.app_limited = t.app_limited;

  for (std::uint64_t i = base_; i + 3 <= number; ++i) {
    if (auto& old = sent_[i - base_]; !old.gone) lose(old, f);
  }
  while (!sent_.empty() && sent_.front().gone && base_ + 3 < number) {
    sent_.pop_front();
    ++base_;
  }
  f.total_lost = total_lost_;
  f.rate.lost = static_cast<std::uint32_t>(total_lost_ - t.lost);

  if (phase_ != recovery_phase::open && una_ >= recovery_point_) {
    phase_ = recovery_phase::open;
    backoff_ = 0;
    cc_->on_recovered(in_flight_, now);
  }
  if (f.lost > 0 && phase_ != recovery_phase::recovery && phase_ != recovery_phase::loss) {
    phase_ = recovery_phase::recovery;
    recovery_point_ = next_;
    ++episodes_;
    cc_->on_congestion(tcp::congestion_cause::loss, before, now);
  } else if (marked && phase_ == recovery_phase::open) {
    phase_ = recovery_phase::cwr;
    recovery_point_ = next_;
    ++episodes_;
    cc_->on_congestion(tcp::congestion_cause::ecn, before, now);
  }
  if (f.acked > 0) backoff_ = 0;
  f.phase = phase_;
  f.in_flight = in_flight_;
  // Linux's rule: the window was filled in the last round, or in slow start at least half of it.
  if (total_delivered_ > limited_at_) limited_ = in_flight_ + mss >= cc_->cwnd();
  f.window_limited = limited_ || (cc_->cwnd() < cc_->ssthresh() && cc_->cwnd() < 2 * most_in_flight_);
  cc_->on_ack(f);
  timer_ = instant{};
  if (in_flight_ > 0) arm(now);
  send(now);
}

void flow::expires(instant now) {
  if (timer_ == instant{} || now != timer_) return;
  const std::uint32_t before = in_flight_;
  again_.clear();
  for (auto& t : sent_) {
    if (!std::exchange(t.gone, true)) total_lost_ += mss;
  }
  for (std::uint64_t s = una_; s < next_; ++s) {
    if (!got_[s]) again_.push_back(s);
  }
  in_flight_ = 0;
  ++timeouts_;
  const bool again = backoff_++ > 0;
  phase_ = recovery_phase::loss;
  recovery_point_ = next_;
  cc_->on_timeout(before, again, now);
  next_send_ = now;
  timer_ = instant{};
  send(now);
}

double share(bottleneck& b, const flow& f, instant from, instant until, double rate) {
  b.run(from);
  const std::uint64_t before = f.delivered();
  b.run(until);
  const double wire = (flow::mss + wire_overhead) / static_cast<double>(flow::mss);
  return static_cast<double>(f.delivered() - before) * wire / in_seconds(until - from) / rate;
}

}  // namespace tunic::test
