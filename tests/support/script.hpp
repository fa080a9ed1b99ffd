#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stack/stack.hpp"
#include "tests/support/notation.hpp"

namespace tunic::test {

using namespace std::chrono_literals;

/// What a script's stack and peer are like.
struct script_options {
  stack_config stack = {};
  bool ipv6 = false;
  std::uint32_t peer_window = 65535;     ///< as on the wire, in every line that names none
  std::string syn_options = "mss 1460";  ///< of the peer's SYN in the ready-made beginnings
  std::uint32_t iss_before_wrap = 100;   ///< our initial sequence number is this far before 2^32
  std::uint32_t irs_before_wrap = 50;    ///< the peer's
  bool no_delay = false;
  unsigned quick_acks = 0;                                 ///< most scripts are about something else
  std::uint16_t mss = 0;                                   ///< what the user bounds segments to; 0: nothing
  std::size_t backlog = 16;                                ///< of the listener in the ready-made beginnings
  tcp::fast_open_use fast_open = tcp::fast_open_use::off;  ///< of the listener, or of what the user opens
  std::size_t fast_open_limit = 16;                        ///< of the listener
  std::string us = {};  ///< our address where it is not the stack's own 198.51.100.2 or 2001:db8::2
};

/// Puts the right checksums into an IP datagram that carries TCP, as far as its lengths allow.
void repair_checksums(std::span<std::byte> datagram);

/// A conversation with one stack in packetdrill's notation and virtual time. Sequence numbers count from each side's
/// SYN, which is 0, and our timestamps from the first we send. What the stack sends and no line claims fails the next
/// step; a failure prints the whole transcript. Text is a pattern of its offset, so that every octet received on either
/// side is checked.
class script {
 public:
  explicit script(script_options o = {});
  script(script&&) = default;
  ~script();

  // Ready-made beginnings, all on our port 80 and the peer's port 40000.
  static script listening(script_options o = {});         ///< a listener, and nothing has arrived
  static script opening(script_options o = {});           ///< an active OPEN; its SYN is claimed
  static script established(script_options o = {});       ///< a passive open whose handshake is done
  static script in(tcp::state s, script_options o = {});  ///< any state, reached by a passive open (SYN-SENT: active)

  // The network.
  void arrives(std::string_view text);
  void sends(std::string_view text);
  /// An ICMP error about our segment that begins at the number `about`.
  void icmp_arrives(ip::icmp_error e, std::uint32_t about);
  /// The octets of a line's datagram, and a datagram as it is.
  [[nodiscard]] std::vector<std::byte> datagram(std::string_view text) const;
  void datagram_arrives(std::span<const std::byte> octets);
  /// Time passes and nothing may be sent.
  void silent_for(duration d);
  /// Time passes up to the first thing sent, which the next line claims, at most d.
  void passes(duration d);
  /// The header of the next segment sent, claimed whatever it is; nothing where none is.
  std::optional<wire::tcp_header> takes_sent();
  /// Claims a SYN-ACK whatever its number, from which ours count from now on; its options as takes_sent gives them.
  wire::tcp_header takes_syn_ack();
  /// The same for text: how many octets the next segment carries; 0 where none is.
  std::uint32_t takes_sent_text();
  /// The number behind all that was sent and claimed, counted from our SYN.
  [[nodiscard]] std::uint32_t sent_up_to() const { return sent_up_to_; }
  /// Nothing more is sent now.
  void silent();
  /// Time passes, and what is sent meanwhile does not matter.
  void passes_unheard(duration d);

  // The user.
  void user_opens();
  void user_opens_with(std::size_t octets);  ///< which SEND takes before anything is sent
  void user_listens();
  void user_accepts();
  std::size_t user_sends(std::size_t octets, tcp::ending e = tcp::ending::push);
  void user_receives(std::size_t octets);  ///< reads and checks exactly so many
  void user_closes();
  void user_sends_and_closes(std::size_t octets);  ///< both before anything is sent
  void user_aborts();
  void user_releases(std::optional<duration> linger = std::nullopt);
  void user_shuts_receive();
  void user_stops_listening();
  void user_answers_syns(tcp::verdict v);  ///< accept until this is called

  // What is true.
  void in_state(tcp::state s);
  void at_end();                          ///< the user has read everything and the peer's FIN
  void closed_with(std::error_code why);  ///< CLOSED, and the user was told why
  void dropped(drop reason, std::uint64_t times = 1);
  void reads_nothing();
  [[nodiscard]] tcp::status status() const;
  [[nodiscard]] const counters& counted() const { return stack_->counters(); }
  [[nodiscard]] tcp::layer& tcp() { return stack_->tcp(); }
  [[nodiscard]] tcp::tcb& connection() { return *tcb_; }
  [[nodiscard]] tcp::listener& listener() { return *listener_; }
  /// What the user was told since the last call.
  [[nodiscard]] tcp::events told() { return std::exchange(holder_->told, {}); }
  [[nodiscard]] int told_acceptable() const { return owner_->acceptable; }
  [[nodiscard]] tunic::stack& stack() { return *stack_; }
  [[nodiscard]] seq iss() const { return iss_; }
  [[nodiscard]] seq irs() const { return irs_; }
  [[nodiscard]] instant now() const { return now_; }
  [[nodiscard]] std::size_t connections() { return stack_->tcp().connections(); }
  /// The peer's next segments come from another port, a connection of its own with numbers from 0; a port used before
  /// has its numbers again.
  void peer_port(std::uint16_t port, std::uint32_t irs_before_wrap = 50);

 private:
  struct holder final : tcp::user {
    tcp::events told;
    bool closed = false;
    void on_events(tcp::events e) override;
  };
  struct owner final : tcp::listener_user {
    int acceptable = 0;
    tcp::verdict answer = tcp::verdict::accept;
    void on_acceptable() override { ++acceptable; }
    tcp::verdict on_syn(const four_tuple&) override { return answer; }
  };
  struct sent {
    wire::ecn_codepoint ecn;
    wire::tcp_header header;
    std::vector<std::byte> text;
    std::string printed;
  };

  std::size_t put(std::size_t octets, tcp::ending e = tcp::ending::push);
  void step(const std::string& what);
  void pull();
  void unclaimed(std::string_view before);
  void fail(const std::string& why);
  void note(const std::string& what);
  [[nodiscard]] std::string print(wire::tcp_header h, std::uint32_t text) const;
  [[nodiscard]] std::byte pattern(std::uint64_t offset, bool ours) const;
  [[nodiscard]] four_tuple ends() const { return {us_, peer_}; }
  void advance(duration d, bool stop_at_first);

  script_options options_;
  endpoint us_;
  endpoint peer_;
  instant now_;
  instant start_;
  std::unique_ptr<tunic::stack> stack_;
  std::unique_ptr<holder> holder_ = std::make_unique<holder>();
  std::unique_ptr<owner> owner_ = std::make_unique<owner>();
  tcp::listener* listener_ = nullptr;
  tcp::tcb* tcb_ = nullptr;
  seq iss_;
  seq irs_;
  std::map<std::uint16_t, std::pair<seq, seq>> other_ports_;  // ISS and IRS of the peer's other ports
  std::optional<std::uint32_t> first_timestamp_;              // of ours
  std::deque<sent> sent_;
  std::uint64_t written_ = 0;
  std::uint32_t sent_up_to_ = 0;
  std::uint64_t read_ = 0;
  std::vector<std::string> transcript_;
  bool failed_ = false;
};

}  // namespace tunic::test
