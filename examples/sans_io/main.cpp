// Two TCP/IP stacks talk in one process and in virtual time: no device, no clock, no thread, no Asio. Whoever drives a
// stack hands it datagrams and the time, and takes datagrams from it; here each one's datagrams go to the other.
#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string_view>
#include <tunic/stack/buffer/flatten.hpp>
#include <tunic/stack/stack.hpp>
#include <tunic/stack/wire/print.hpp>

using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t port = 7;
tunic::instant now{};  // virtual time

/// Prints the segments that a stack sends, and its changes of state.
struct printer final : tunic::tcp::observer {
  void on_segment(bool sent, const tunic::four_tuple& ends, const tunic::wire::tcp_header& header, std::uint32_t text,
                  tunic::instant at) override {
    if (sent) print(at, ends.local.to_string() + " -> " + tunic::wire::print(header, text));
  }
  void on_state(const tunic::four_tuple& ends, tunic::tcp::state, tunic::tcp::state to, tunic::instant at) override {
    print(at, ends.local.to_string() + " is " + std::string{name(to)});
  }
  static void print(tunic::instant at, const std::string& line) {
    std::printf("%9.3f s  %s\n", std::chrono::duration<double>(at.time_since_epoch()).count(), line.c_str());
  }
};

/// One end of a connection: says a word, either first or in answer to the other's, and closes when the other has.
class speaker final : public tunic::tcp::user, public tunic::tcp::listener_user {
 public:
  speaker(tunic::stack& stack, std::string_view word) : tcp_(stack.tcp()), word_(word) {}

  bool listen() {
    const auto l = tcp_.listen({.local = {tunic::address::any(tunic::family::v4), port}}, *this);
    if (l) listener_ = *l;
    return static_cast<bool>(l);
  }
  bool open(tunic::address to) {
    const auto t = tcp_.open({.remote = {to, port}}, *this, now);
    if (t) tcb_ = *t;
    return static_cast<bool>(t);
  }
  [[nodiscard]] std::size_t heard() const { return heard_; }

 private:
  void on_acceptable() override {
    tcb_ = tcp_.accept(*listener_, *this);
    if (tcb_) read();  // the handshake's last segment may have brought text
  }

  void on_events(tunic::tcp::events e) override {
    if (e.established && !listener_) tcp_.send(*tcb_, std::as_bytes(std::span{word_}));
    if (e.readable) read();
    if (e.closed || tcp_.at_end(*tcb_)) return tcp_.release(*tcb_, now);  // the stack finishes alone
  }

  void read() {
    std::array<std::byte, 100> room;
    while (const std::size_t n = tcp_.receive(*tcb_, room)) {
      printer::print(now, "heard \"" + std::string{reinterpret_cast<const char*>(room.data()), n} + '"');
      heard_ += n;
      if (listener_)
        tcp_.send(*tcb_, std::as_bytes(std::span{word_}));
      else
        tcp_.close(*tcb_, now);  // a half-close: the other's FIN is still to come
    }
  }

  tunic::tcp::layer& tcp_;
  std::string_view word_;
  tunic::tcp::listener* listener_ = nullptr;
  tunic::tcp::tcb* tcb_ = nullptr;
  std::size_t heard_ = 0;
};

/// Everything that one stack has to say goes to the other, which hears it 10 ms later.
bool carry(tunic::stack& from, tunic::stack& to) {
  tunic::frame f;
  bool any = false;
  while (from.poll_transmit(f, now)) {
    now += 10ms;
    to.on_packet(tunic::flatten(f, to.pool()), now);
    any = true;
  }
  return any;
}

tunic::stack_config config(const char* address) {
  tunic::stack_config c;
  c.ip.addresses = {*tunic::prefix::parse(address)};
  return c;
}

}  // namespace

int main() {
  const tunic::secret key{};  // 16 octets that nobody can guess, where the network is not one's own
  printer watcher;
  tunic::stack left{config("198.51.100.1/24"), key, &watcher}, right{config("198.51.100.2/24"), key, &watcher};
  speaker server{right, "hello to you, too"}, client{left, "hello"};
  if (!server.listen() || !client.open(tunic::address::v4(198, 51, 100, 2))) return 1;

  for (;;) {  // until neither waits for anything: TIME-WAIT takes a minute, and no time at all
    if (carry(left, right) || carry(right, left)) continue;
    const tunic::instant next = std::min(left.next_deadline(), right.next_deadline());
    if (next == tunic::never) break;
    now = std::max(now, next);
    left.on_deadline(now);
    right.on_deadline(now);
  }
  return server.heard() == 5 && client.heard() == 17 ? 0 : 1;
}
