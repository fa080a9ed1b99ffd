#include "stack/tcp/prr.hpp"

namespace tunic::tcp {

// RFC 9937 §6.1.
void prr::begin(std::uint32_t recover_fs) {
  prr_delivered_ = 0;
  prr_out_ = 0;
  recover_fs_ = std::max(recover_fs, 1u);
}

// RFC 9937 §6.2; it takes the place of RFC 5681 §3.2's inflation, keeps to its §4.3, and leaves no burst (RFC 6582 §6).
std::uint32_t prr::on_ack(std::uint32_t delivered_data, std::uint32_t in_flight, std::uint32_t ssthresh,
                          std::uint32_t mss, bool safe_ack) {
  prr_delivered_ = sum(prr_delivered_, delivered_data);
  std::uint64_t snd_cnt = 0;
  if (in_flight > ssthresh) {
    // Rounded up to whole segments, as a stack does that counts segments: a part of one could not be sent anyway.
    const std::uint64_t share = (std::uint64_t{prr_delivered_} * ssthresh + recover_fs_ - 1) / recover_fs_;
    const std::uint64_t out = (share + mss - 1) / mss * mss;
    snd_cnt = out > prr_out_ ? out - prr_out_ : 0;
  } else {
    // PRR-CRB; PRR-SSRB, one segment more, while recovery makes good progress.
    const std::uint32_t unanswered = prr_delivered_ > prr_out_ ? prr_delivered_ - prr_out_ : 0;
    snd_cnt = std::uint64_t{std::max(unanswered, delivered_data)} + (safe_ack ? mss : 0);
    snd_cnt = std::min<std::uint64_t>(snd_cnt, ssthresh - in_flight);
  }
  // The fast retransmit goes out at once. And nothing in flight means that no ACK will come to release what waits.
  if (prr_out_ == 0 || in_flight == 0) snd_cnt = std::max<std::uint64_t>(snd_cnt, mss);
  return sum(in_flight, static_cast<std::uint32_t>(std::min<std::uint64_t>(snd_cnt, ~0u)));
}

}  // namespace tunic::tcp
