#include "drivers/loss.hpp"

namespace tunic::drivers {

namespace {

enum loss_stream : std::uint64_t { even, bursts };

}  // namespace

loss::loss(const path_options& options, std::uint64_t seed)
    : share_(options.loss),
      burst_begins_(options.burst_begins),
      burst_ends_(options.burst_ends),
      interval_(options.burst_interval),
      size_(options.burst_size),
      even_(seed, loss_stream::even),
      bursts_(seed, loss_stream::bursts) {}

bool loss::next(instant now) {
  // Every model is asked every time, so that none changes what another one takes.
  in_burst_ = in_burst_ ? !bursts_.chance(burst_ends_) : bursts_.chance(burst_begins_);
  const bool of_itself = even_.chance(share_);
  return of_period(now) || in_burst_ || of_itself;
}

bool loss::of_period(instant now) {
  if (interval_ <= duration{}) return false;
  if (period_ends_ == never) period_ends_ = now + interval_;
  if (now >= period_ends_) {
    period_ends_ += interval_ * ((now - period_ends_) / interval_ + 1);
    left_ = size_;
  }
  // A burst does not wait for its victims: else a sender that is silent for a period after each loss would lose all.
  const instant burst_ends = period_ends_ - interval_ + interval_ / 10;
  if (left_ == 0 || now >= burst_ends) return false;
  --left_;
  return true;
}

}  // namespace tunic::drivers
