#include "stack/asio/echo.hpp"

#include "tests/asio/two_hosts.hpp"

namespace tunic::test {
namespace {

class pinging : public testing::Test, public two_hosts {
 protected:
  std::optional<echo_answer> ask(echo& from, const char* to, std::size_t size, std::uint8_t hop_limit = 0) {
    const std::string text = pattern(size);
    std::error_code e;
    from.send(asio::ip::make_address(to), 7, octets_of(text), hop_limit, e);
    EXPECT_FALSE(e) << e.message();
    std::optional<echo_answer> answer;
    from.async_receive([&](std::error_code, echo_answer a) { answer = std::move(a); });
    settle();
    from.cancel();
    settle();
    return answer;
  }
};

TEST_F(pinging, gets_its_octets_back) {
  echo ours{client, 1234};
  for (const std::size_t size : {0u, 56u, 1472u, 8000u, 65'000u}) {
    for (const char* to : {"198.51.100.2", "2001:db8::2"}) {
      const auto a = ask(ours, to, size);
      ASSERT_TRUE(a) << to << ' ' << size;
      EXPECT_FALSE(a->error);
      EXPECT_EQ(a->from.to_string(), to);
      EXPECT_EQ(a->sequence, 7);
      EXPECT_EQ(a->hop_limit, 64);
      EXPECT_TRUE(text_of(a->text) == pattern(size));
    }
  }
}

TEST_F(pinging, keeps_identifiers_apart) {
  echo ours{client, 1};
  echo other{client, 2};
  std::optional<std::error_code> not_ours;
  other.async_receive([&](std::error_code e, const echo_answer&) { not_ours = e; });
  EXPECT_TRUE(ask(ours, "198.51.100.2", 56));
  EXPECT_FALSE(not_ours);
  other.cancel();
  settle();
  EXPECT_EQ(not_ours, asio::error::operation_aborted);
}

TEST_F(pinging, keeps_answers_until_they_are_received) {
  echo ours{client, 1};
  std::error_code e;
  ours.send(asio::ip::make_address("198.51.100.2"), 1, {}, 0, e);
  ours.send(asio::ip::make_address("198.51.100.2"), 2, {}, 0, e);
  settle();
  std::vector<std::uint16_t> sequences;
  for (int i = 0; i < 2; ++i)
    ours.async_receive([&](std::error_code, const echo_answer& a) { sequences.push_back(a.sequence); });
  settle();
  EXPECT_EQ(sequences, (std::vector<std::uint16_t>{1, 2}));
}

TEST_F(pinging, says_where_it_cannot_go) {
  echo ours{client, 1};
  std::error_code e;
  ours.send(asio::ip::make_address("203.0.113.1"), 1, {}, 0, e);
  EXPECT_EQ(e, asio::error::network_unreachable);
  ours.send(asio::ip::make_address("198.51.100.2"), 1, octets_of(std::string(70'000, 'x')), 0, e);
  EXPECT_EQ(e, asio::error::message_size);
}

}  // namespace
}  // namespace tunic::test
