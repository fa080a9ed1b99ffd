#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "drivers/guarded_copy.hpp"
#include "drivers/log.hpp"
#include "drivers/pcapng.hpp"
#include "drivers/segmentation.hpp"
#include "stack/device.hpp"

namespace tunic::drivers {

/// How a capture shows what a device with offload carries.
enum class pcap_form : std::uint8_t {
  as_seen,   ///< partial checksums and super-segments as the stack and the device hand them over
  finished,  ///< with the checksums that the device will write, so that Wireshark finds no fault
  wire,      ///< and super-segments cut into the segments that would cross a wire
};

struct pcap_options {
  std::string file = {};  ///< a pcapng file to write, a FIFO, or "-" for the standard output
  pcap_form form = pcap_form::finished;
  std::uint32_t snap = 0;               ///< octets kept of each datagram; 0: all
  std::string interface = "tunic";      ///< the name that Wireshark shows
  std::chrono::nanoseconds epoch = {};  ///< the Unix time of instant{}
  log_callback log = {};
};

/// A device around another that writes each datagram into a capture. It never holds up or refuses traffic: where
/// writing fails, the capture ends with a word to the log.
class pcap final : public device {
 public:
  /// `inner` must outlive this. Throws std::system_error where the file cannot be opened.
  pcap(device& inner, pcap_options options);
  pcap(const pcap&) = delete;
  pcap& operator=(const pcap&) = delete;

  [[nodiscard]] device_capabilities capabilities() const override { return inner_.capabilities(); }
  [[nodiscard]] std::size_t mtu() const override { return inner_.mtu(); }
  /// Hands the capture on whenever there is nothing to receive, so that a live reader sees it soon.
  packet receive(pool& from, instant now, std::error_code& error) override;
  /// Writes what `inner` took.
  std::error_code transmit(const frame& f, instant now) override;
  [[nodiscard]] instant next_deadline() const override { return inner_.next_deadline(); }
  [[nodiscard]] int descriptor() const override { return inner_.descriptor(); }
  void set_waker(device_waker* waker) override { inner_.set_waker(waker); }

 private:
  // A datagram to write: the first `size` octets of scratch_, of which the first `readable` are known.
  struct sight {
    pcapng::direction direction;
    std::chrono::nanoseconds time;
    std::size_t size;
    std::size_t readable;
    bool partial_checksum;
    std::uint16_t segment_size;
  };

  void write(const sight& s);
  void write_segments(const sight& s, const transport_layout& layout);

  device& inner_;
  pcap_form form_;
  std::chrono::nanoseconds epoch_;
  pcapng file_;
  guarded_copy copy_;
  std::vector<std::byte> scratch_;
  std::vector<std::byte> header_;
};

}  // namespace tunic::drivers
