#pragma once

#include <array>
#include <cstdint>

namespace tunic::http {

enum class role : std::uint8_t { client, server };

// Where one side of a connection stands in its request or response.
enum class state : std::uint8_t { idle, send_response, send_body, done, must_close, closed, error };

// What a side did. The peer's and our own messages are told apart by the role alone.
enum class happening : std::uint8_t { request, informational, response, data, end_of_message, connection_closed };

// Both sides of one HTTP/1.1 connection (RFC 9112 §9.3): what each may do next, and whether another request may follow.
// Both the server and the client use it for themselves and for their peer.
class states {
 public:
  // Moves `who` along. Says false, and leaves `who` in `error`, if it may not do that now.
  bool on(role who, happening what);

  // One of the messages said that the connection ends with it.
  void disable_keep_alive();
  bool keep_alive() const { return keep_alive_; }

  // Both are done and the connection stays: the next request may come. Says false otherwise.
  bool next_cycle();

  state of(role who) const { return at_[static_cast<std::size_t>(who)]; }

 private:
  void settle();
  state& at(role who) { return at_[static_cast<std::size_t>(who)]; }

  std::array<state, 2> at_{state::idle, state::idle};
  bool keep_alive_ = true;
};

}  // namespace tunic::http
