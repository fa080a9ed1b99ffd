#include "stack/tcp/receive_queue.hpp"

#include <random>

#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// The receive queue against a model: a string of which some octets have arrived.

namespace tunic::test {
namespace {

using tcp::receive_queue;

struct model {
  explicit model(std::size_t n) : stream(n, ' '), there(n, 0) {}

  void insert(std::size_t from, std::size_t n) { std::fill_n(there.begin() + static_cast<std::ptrdiff_t>(from), n, 1); }
  [[nodiscard]] std::size_t expected() const {
    return static_cast<std::size_t>(std::find(there.begin(), there.end(), 0) - there.begin());
  }
  [[nodiscard]] std::size_t ahead() const {
    const auto gap = there.begin() + static_cast<std::ptrdiff_t>(expected());
    return static_cast<std::size_t>(std::count(gap, there.end(), 1));
  }
  [[nodiscard]] bool is_maximal(receive_queue::range r) const {
    const auto begin = static_cast<std::size_t>(r.begin);
    const auto end = static_cast<std::size_t>(r.end);
    if (begin >= end || end > there.size() || there[begin - 1] || (end < there.size() && there[end])) return false;
    return std::all_of(there.begin() + static_cast<std::ptrdiff_t>(begin),
                       there.begin() + static_cast<std::ptrdiff_t>(end), [](char c) { return c != 0; });
  }

  std::string stream;
  std::vector<char> there;
};

slice slice_of(pool& buffers, std::string_view text) {
  const buffer_ref b = buffers.fitting(text.size());
  std::transform(text.begin(), text.end(), b->room().begin(), [](char c) { return static_cast<std::byte>(c); });
  return pool::view(b, text.size());
}

TEST(receive_queue, agrees_with_a_string_whatever_arrives_in_whatever_order) {
  constexpr std::size_t size = 2000;
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random{seed};
    const auto draw = [&](std::size_t most) { return std::uniform_int_distribution<std::size_t>{0, most}(random); };
    pool buffers;
    receive_queue::rooms rooms;
    receive_queue q;
    model m{size};
    for (char& c : m.stream) c = static_cast<char>('a' + draw(25));
    std::string read;
    const std::size_t longest = 20 + draw(400);
    while (m.expected() < size) {
      const std::size_t before = m.expected();
      const std::size_t from = std::min(size - 1, (before > 100 ? before - 100 : 0) + draw(1000));
      const std::size_t n = std::min(size - from, 1 + draw(longest));
      m.insert(from, n);
      const bool moved = q.insert(rooms, buffers, from, slice_of(buffers, std::string_view{m.stream}.substr(from, n)));
      ASSERT_EQ(q.expected(), m.expected());
      ASSERT_EQ(moved, m.expected() > before);
      ASSERT_EQ(q.has_gap(), m.ahead() > 0);
      ASSERT_EQ(q.held(), m.expected() - read.size() + m.ahead());
      const auto blocks = q.blocks();
      ASSERT_EQ(blocks.count > 0, q.has_gap());
      for (std::size_t i = 0; i < blocks.count; ++i) {
        ASSERT_TRUE(m.is_maximal(blocks.list[i]));
        for (std::size_t k = 0; k < i; ++k) ASSERT_NE(blocks.list[i].begin, blocks.list[k].begin);
      }
      if (blocks.count > 0 && from >= m.expected()) {
        ASSERT_TRUE(blocks.list[0].begin <= from && from < blocks.list[0].end);
      }
      if (draw(3) == 0) {
        std::vector<std::byte> to(draw(500));
        const std::size_t got = q.copy_out(to);
        for (std::size_t i = 0; i < got; ++i) read += static_cast<char>(to[i]);
      }
    }
    while (!q.empty()) {
      for (const std::byte b : q.front()) read += static_cast<char>(b);
      q.pop_front(q.front().size());
    }
    EXPECT_EQ(read, m.stream);
    EXPECT_EQ(q.pinned_ahead(), 0u);
    EXPECT_EQ(buffers.in_use(), 0u);
  }
}

TEST(receive_queue, dropped_text_keeps_the_offsets) {
  pool buffers;
  receive_queue::rooms rooms;
  receive_queue q;
  q.insert(rooms, buffers, 0, slice_of(buffers, "abc"));
  q.drop_ready();
  EXPECT_TRUE(q.empty());
  EXPECT_EQ(q.expected(), 3u);
  EXPECT_TRUE(q.insert(rooms, buffers, 3, slice_of(buffers, "def")));
  EXPECT_EQ(q.size(), 3u);
}

TEST(receive_queue, small_texts_share_buffers) {  // an octet a packet must not pin a buffer each
  pool buffers;
  receive_queue::rooms rooms;
  receive_queue q;
  for (std::size_t i = 0; i < 1000; ++i) q.insert(rooms, buffers, i, slice_of(buffers, "x"));
  EXPECT_EQ(q.size(), 1000u);
  EXPECT_LE(buffers.in_use(), 3u);
}

TEST(receive_queue, octets_ahead_of_gaps_pin_a_bounded_amount_of_memory) {
  // every second octet, each in its own buffer
  script_options o;
  o.stack.tcp.receive_buffer = 60000;
  auto t = script::established(o);
  for (std::uint32_t i = 0; i < 10000; ++i) t.datagram_arrives(t.datagram(line_of(".", 3 + 2 * i, 1, 1)));
  t.sends(". 1:1(0) ack 1");
  const std::size_t in_use = t.stack().pool().in_use();
  EXPECT_LE(in_use * pool::small_size, 4 * 60000u + 2 * pool::small_size);
  t.dropped(drop::receive_full, 10000 - in_use);
  t.arrives("P. 1:3(2) ack 1");  // what is in order is still taken
  t.sends(". 1:1(0) ack 4");
  t.user_receives(3);
}

}  // namespace
}  // namespace tunic::test
