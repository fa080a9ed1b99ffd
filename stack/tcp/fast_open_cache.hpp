#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>

#include "stack/tcp/isn.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::tcp {

/// Whether the option's old form is worth asking by: once, of a server that does not know the new one.
enum class old_form : std::uint8_t { untried, due, tried };

/// What a client has learned of a server (RFC 7413 §4.1.3).
struct fast_open_experience {
  wire::fast_open cookie{};  ///< of no octets: none is known
  std::uint16_t mss = 0;     ///< that it announced; 0: not known
  old_form experimental = old_form::untried;
  std::uint8_t misses = 0;  ///< in a row: the text was not taken, or the SYN was lost (§4.1.3.1)
  instant off_until{};      ///< no option and no text in a SYN before
};

/// Of the servers used last: one for a pair of addresses (RFC 7413 §4.1.3).
class fast_open_cache {
 public:
  explicit fast_open_cache(const secret& key) : known_(0, hash{key}) {}

  [[nodiscard]] const fast_open_experience* find(const four_tuple& ends) const;
  /// The one of these ends, a new one if need be; beyond `most` the one that has been used least lately goes.
  fast_open_experience& at(const four_tuple& ends, std::size_t most);
  [[nodiscard]] std::size_t size() const { return order_.size(); }
  void clear();

 private:
  struct entry {
    four_tuple ends;  // without ports
    fast_open_experience what;
  };
  struct hash {
    secret key;
    std::size_t operator()(const four_tuple& e) const {
      return static_cast<std::size_t>(keyed_hash(key, e, hash_use::fast_open));
    }
  };

  std::list<entry> order_;  // the latest first
  std::unordered_map<four_tuple, std::list<entry>::iterator, hash> known_;
};

}  // namespace tunic::tcp
