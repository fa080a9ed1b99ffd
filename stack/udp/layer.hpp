#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "stack/base/address.hpp"
#include "stack/base/counters.hpp"
#include "stack/base/siphash.hpp"
#include "stack/base/time.hpp"
#include "stack/buffer/pool.hpp"
#include "stack/ip/layer.hpp"
#include "stack/udp/binding.hpp"

namespace tunic::udp {

/// UDP over one IP layer: owns the sockets and finds the one a datagram is for. A connected socket comes before one
/// bound to the address, that before one bound to any address of the version, and a dual-stack one is last.
class layer {
 public:
  /// Keeps references to all but the key.
  layer(ip::layer& below, pool& buffers, counters& count, const secret& key);
  layer(const layer&) = delete;
  layer& operator=(const layer&) = delete;

  /// A socket that is not bound yet; it lives until closed. `u` may be null, and must outlive the socket otherwise.
  binding* open(user* u);
  /// Datagrams that wait for the device are still sent; those received are gone.
  void close(binding* s);

  void on_datagram(const ip::datagram& d, instant now);
  void on_icmp_error(const ip::icmp_error& e, instant now);

 private:
  friend class binding;
  struct hash {
    secret key;
    std::size_t operator()(const four_tuple& t) const;
  };

  binding* find(const endpoint& local, const endpoint& remote) const;
  /// Puts the socket under another pair of endpoints; false where another socket has it.
  bool rename(binding& s, const endpoint& local, const endpoint& remote);
  void forget(const binding& s);
  /// A port that no socket has (RFC 6056 §3.3.1); nothing where all are taken.
  std::optional<std::uint16_t> ephemeral_port();
  /// The text alone where it would hold a large buffer for few octets.
  slice compact(slice text);

  ip::layer& ip_;
  pool& pool_;
  counters& count_;
  secret key_;
  std::uint64_t draws_ = 0;
  std::unordered_map<const binding*, std::unique_ptr<binding>> sockets_;
  std::unordered_map<four_tuple, binding*, hash> bound_;
  std::unordered_map<std::uint16_t, unsigned> ports_;  // how many sockets have each
};

}  // namespace tunic::udp
