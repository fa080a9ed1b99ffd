#include "tests/asio/descriptor_pair.hpp"
#include "tests/asio/two_hosts.hpp"

namespace tunic::test {
namespace {

/// A host whose clock goes on by a microsecond a look, and a peer that sends it a segment now and then.
class polled_host {
 public:
  explicit polled_host(duration busy_poll) : busy_poll_(busy_poll) { settle(); }

  /// A segment comes; returns how long the host went on looking for the next one, by its own clock, before it slept.
  duration look_after_a_segment() {
    tcp::socket s{peer_};
    outcome connecting;
    s.async_connect({asio::ip::make_address("198.51.100.2"), 7}, connecting.handler());
    const instant before = now_;
    settle();
    EXPECT_TRUE(connecting.done());
    return now_ - before;
  }
  void settle() {
    while (io_.poll() > 0) {
    }
  }
  [[nodiscard]] unsigned looks() const { return link_.second.receives; }
  host& server() { return server_; }

 private:
  asio::io_context io_;
  descriptor_pair link_;
  instant now_{1h};
  duration busy_poll_;
  host peer_{io_, link_.first, {.address = "198.51.100.1/24", .clock = [] { return instant{1h}; }}};
  host server_{io_,
               link_.second,
               {.address = "198.51.100.2/24", .clock = [this] { return now_ += 1us; }, .busy_poll = busy_poll_}};
};

TEST(busy_poll, is_off_by_default) {
  polled_host h{host_options{}.busy_poll};
  EXPECT_LT(h.look_after_a_segment(), 10us);
}

TEST(busy_poll, looks_for_another_segment_for_so_long) {
  for (const duration d : {50us, 400us}) {
    polled_host h{d};
    for (int i = 0; i < 3; ++i) {
      const duration looked = h.look_after_a_segment();
      EXPECT_GE(looked, d);
      EXPECT_LT(looked, d + 10us);
    }
  }
}

TEST(busy_poll, sleeps_where_nothing_comes) {
  polled_host h{50us};
  h.look_after_a_segment();
  const unsigned before = h.looks();
  h.server().wake();  // a timer, or what a handler has to say, is no segment
  h.settle();
  EXPECT_LE(h.looks(), before + 1);
}

}  // namespace
}  // namespace tunic::test
