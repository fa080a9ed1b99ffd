#include <array>
#include <memory>

#include <asio/read.hpp>

#include "tests/asio/two_hosts.hpp"

namespace tunic::test {
namespace {

class non_blocking : public testing::Test, public two_hosts {};

TEST_F(non_blocking, refuses_what_has_to_wait_in_blocking_mode) {
  auto [ours, theirs] = connected();
  char octets[8];
  std::error_code e;
  EXPECT_EQ(ours.read_some(asio::buffer(octets), e), 0u);
  EXPECT_EQ(e, asio::error::operation_not_supported);
  EXPECT_THROW(ours.read_some(asio::buffer(octets)), std::system_error);
}

TEST_F(non_blocking, would_block_in_non_blocking_mode) {
  auto [ours, theirs] = connected();
  ours.non_blocking(true);
  EXPECT_TRUE(ours.non_blocking());
  char octets[8];
  std::error_code e;
  EXPECT_EQ(ours.read_some(asio::buffer(octets), e), 0u);
  EXPECT_EQ(e, asio::error::would_block);
  EXPECT_EQ(theirs.write_some(asio::buffer("abc", 3)), 3u);
  settle();
  EXPECT_EQ(ours.available(), 3u);
  EXPECT_EQ(ours.read_some(asio::buffer(octets)), 3u);

  const std::string much(1 << 20, 'x');
  while (ours.write_some(asio::buffer(much), e) > 0) EXPECT_FALSE(e);
  EXPECT_EQ(e, asio::error::would_block);
  theirs.shutdown(tcp::socket::shutdown_send);
  settle();
  EXPECT_EQ(ours.read_some(asio::buffer(octets), e), 0u);
  EXPECT_EQ(e, asio::error::eof);
}

TEST_F(non_blocking, tries_without_waiting) {
  auto [ours, theirs] = connected();
  std::array<std::byte, 8> octets;
  std::error_code e;
  EXPECT_EQ(ours.try_read(octets, e), 0u);
  EXPECT_EQ(e, asio::error::would_block);
  EXPECT_EQ(theirs.try_write(octets_of("abc"), e), 3u);
  EXPECT_FALSE(e);
  settle();
  EXPECT_EQ(ours.try_read(octets, e), 3u);
  EXPECT_FALSE(e);
  theirs.close();
  settle();
  EXPECT_EQ(ours.try_read(octets, e), 0u);
  EXPECT_EQ(e, asio::error::eof);
}

TEST_F(non_blocking, lends_what_it_received) {
  auto [ours, theirs] = connected();
  std::error_code e;
  EXPECT_TRUE(ours.borrow(e).empty());
  EXPECT_EQ(e, asio::error::would_block);
  theirs.try_write(octets_of("abcdef"), e);
  settle();
  EXPECT_EQ(text_of(ours.borrow(e)), "abcdef");
  EXPECT_FALSE(e);
  ours.consume(2);
  EXPECT_EQ(text_of(ours.borrow(e)), "cdef");
  ours.consume(4);
  theirs.shutdown(tcp::socket::shutdown_send);
  settle();
  EXPECT_TRUE(ours.borrow(e).empty());
  EXPECT_EQ(e, asio::error::eof);
}

TEST_F(non_blocking, keeps_what_it_adopted_until_the_peer_has_it) {
  auto [ours, theirs] = connected();
  auto owner = std::make_shared<const std::string>(pattern(100'000));
  const std::weak_ptr<const std::string> alive = owner;
  std::error_code e;
  EXPECT_EQ(ours.try_adopt(owner, octets_of(*owner), e), owner->size());
  EXPECT_FALSE(e);
  const std::string expected = *owner;
  owner.reset();
  EXPECT_FALSE(alive.expired());
  std::string got(expected.size(), '\0');
  outcome read;
  asio::async_read(theirs, asio::buffer(got), read.handler());
  ASSERT_TRUE(run_until_done(read));
  EXPECT_EQ(got, expected);
  EXPECT_TRUE(run_until([&] { return alive.expired(); }));
}

TEST_F(non_blocking, adopts_no_more_than_its_buffer_holds) {
  auto [ours, theirs] = connected();
  ours.set_option(tcp::socket::send_buffer_size(65536));
  const auto owner = std::make_shared<const std::string>(200'000, 'x');
  std::error_code e;
  EXPECT_EQ(ours.try_adopt(owner, octets_of(*owner), e), 65536u);
  EXPECT_EQ(ours.try_adopt(owner, octets_of(*owner), e), 0u);
  EXPECT_EQ(e, asio::error::would_block);
  outcome writable;
  ours.async_wait(tcp::socket::wait_write, writable.handler());
  ASSERT_TRUE(run_until_done(writable));
  EXPECT_GT(ours.try_adopt(owner, octets_of(*owner), e), 0u);
}

}  // namespace
}  // namespace tunic::test
