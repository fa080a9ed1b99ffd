#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

#include "apps/tunic/impair/options.hpp"

namespace tunic::app {
namespace {

using namespace std::chrono_literals;

TEST(impair_units, shares_are_percentages) {
  EXPECT_EQ(parse_share("1%"), 0.01);
  EXPECT_EQ(parse_share("0.5%"), 0.005);
  EXPECT_EQ(parse_share("0%"), 0.0);
  EXPECT_EQ(parse_share("100%"), 1.0);
  for (const char* text : {"", "1", "%", "-1%", "100.1%", "1 %", "nan%", "1%%", "1e1%"})
    EXPECT_FALSE(parse_share(text)) << text;
}

TEST(impair_units, rates_have_a_unit) {
  EXPECT_EQ(parse_rate("20mbit"), 20'000'000u);
  EXPECT_EQ(parse_rate("1.5Gbit/s"), 1'500'000'000u);
  EXPECT_EQ(parse_rate("100kbit"), 100'000u);
  EXPECT_EQ(parse_rate("9600bit"), 9600u);
  for (const char* text : {"", "20", "0mbit", "20mbps", "20MB", "2000gbit", "mbit", "-1mbit", "inf"})
    EXPECT_FALSE(parse_rate(text)) << text;
}

TEST(impair_units, times_have_a_unit) {
  EXPECT_EQ(parse_time("50ms"), 50ms);
  EXPECT_EQ(parse_time("1.5s"), 1500ms);
  EXPECT_EQ(parse_time("200us"), 200us);
  EXPECT_EQ(parse_time("7ns"), 7ns);
  EXPECT_EQ(parse_time("0"), 0ns);
  for (const char* text : {"", "50", "-5ms", "5min", "3601s", "1e3s", "ms"}) EXPECT_FALSE(parse_time(text)) << text;
}

TEST(impair_units, queues_are_packets_octets_or_products) {
  EXPECT_EQ(parse_queue("200p")->length.packets, 200u);
  EXPECT_EQ(parse_queue("200p")->length.octets, UINT64_MAX);
  EXPECT_EQ(parse_queue("64kB")->length.octets, 64'000u);
  EXPECT_EQ(parse_queue("64KiB")->length.octets, 65'536u);
  EXPECT_EQ(parse_queue("1500B")->length.octets, 1500u);
  EXPECT_EQ(parse_queue("1500B")->length.packets, UINT64_MAX);
  EXPECT_EQ(parse_queue("bdp:0.5")->round_trips, 0.5);
  for (const char* text : {"", "200", "bdp", "bdp:", "bdp:-1", "p", "5ms", "-1p"})
    EXPECT_FALSE(parse_queue(text)) << text;
}

class impair_command : public ::testing::Test {
 protected:
  void parse(const std::string& line) {
    add_impair(app, options);
    app.parse("impair a:tun0 b:tun1 " + line, false);
    resolve(options);
  }

  CLI::App app;
  impair_options options;
};

TEST_F(impair_command, ends_are_devices_in_namespaces) {
  add_impair(app, options);
  app.parse("impair /proc/7/ns/net:tun0 :tun1", false);
  EXPECT_EQ(options.first.netns, "/proc/7/ns/net");
  EXPECT_EQ(options.first.device, "tun0");
  EXPECT_EQ(options.second.netns, "");
  EXPECT_EQ(options.second.device, "tun1");
}

TEST_F(impair_command, one_directions_option_wins_over_that_of_both) {
  parse("--there-delay 10ms --back-loss 3% --delay 50ms --loss 1% --there-rate 8mbit");
  EXPECT_EQ(options.there.path.delay, 10ms);
  EXPECT_EQ(options.back.path.delay, 50ms);
  EXPECT_EQ(options.there.path.loss, 0.01);
  EXPECT_EQ(options.back.path.loss, 0.03);
  EXPECT_EQ(options.there.path.rate, 8'000'000u);
  EXPECT_EQ(options.back.path.rate, 0u);
}

TEST_F(impair_command, takes_every_option) {
  parse(
      "--jitter 5ms,reorder --loss-burst 0.5%,25% --burst-every 1s,5 --reorder 2%,3ms --duplicate 4% --corrupt 5% "
      "--mtu-hole 1300 --rate 8mbit --queue 20p --ecn-mark 5p --seed 9 --count 10 --duration 60s");
  for (const impair_direction* d : {&options.there, &options.back}) {
    const drivers::path_options& p = d->path;
    EXPECT_EQ(p.jitter, 5ms);
    EXPECT_TRUE(p.jitter_reorders);
    EXPECT_EQ(p.burst_begins, 0.005);
    EXPECT_EQ(p.burst_ends, 0.25);
    EXPECT_EQ(p.burst_interval, 1s);
    EXPECT_EQ(p.burst_size, 5u);
    EXPECT_EQ(p.reorder, 0.02);
    EXPECT_EQ(p.reorder_by, 3ms);
    EXPECT_EQ(p.duplicate, 0.04);
    EXPECT_EQ(p.corrupt, 0.05);
    EXPECT_EQ(p.largest, 1300u);
    EXPECT_EQ(p.queue.packets, 20u);
    EXPECT_EQ(p.queue.octets, UINT64_MAX);
    EXPECT_EQ(p.unmarked.packets, 5u);
  }
  EXPECT_EQ(options.seed, 9u);
  EXPECT_EQ(options.count, 10u);
  EXPECT_EQ(options.time, 60s);
}

TEST_F(impair_command, a_path_without_options_is_clean) {
  parse("");
  const drivers::path_options& p = options.there.path;
  EXPECT_EQ(p.rate, 0u);
  EXPECT_EQ(p.delay, 0ns);
  EXPECT_EQ(p.loss + p.burst_begins + p.reorder + p.duplicate + p.corrupt, 0);
  EXPECT_EQ(p.largest, SIZE_MAX);
}

TEST_F(impair_command, a_product_is_of_the_rate_and_the_round_trip) {
  parse("--rate 20mbit --there-delay 30ms --back-delay 20ms --queue bdp:2 --ecn-mark bdp:0.5");
  EXPECT_EQ(options.there.path.queue.octets, 250'000u);
  EXPECT_EQ(options.back.path.unmarked.octets, 62'500u);
}

TEST_F(impair_command, the_queue_is_a_product_by_default) {
  parse("--there-rate 20mbit --back-rate 1mbit --delay 50ms");
  EXPECT_EQ(options.there.path.queue.octets, 250'000u);
  EXPECT_EQ(options.back.path.queue.octets, 100'000u);
  EXPECT_EQ(options.back.path.unmarked.octets, UINT64_MAX);
}

TEST_F(impair_command, holds_back_for_a_quarter_of_the_delay_by_default) {
  parse("--there-delay 40ms --reorder 1%");
  EXPECT_EQ(options.there.path.reorder_by, 10ms);
  EXPECT_EQ(options.back.path.reorder_by, 1ms);
}

TEST(impair_mistakes, are_told_with_an_example) {
  const std::pair<const char*, const char*> mistakes[] = {
      {"--rate 20", "such as 20mbit"},
      {"--delay 50", "such as 50ms"},
      {"--jitter 5ms,disorder", "5ms,reorder"},
      {"--loss 1", "such as 1%"},
      {"--loss-burst 1%", "0.5%,25%"},
      {"--burst-every 1s", "1s,5"},
      {"--burst-every 0,5", "1s,5"},
      {"--reorder 2%,3", "2%,3ms"},
      {"--there-duplicate x", "--there-duplicate"},
      {"--back-corrupt 1", "--back-corrupt"},
      {"--mtu-hole -1", "such as 1300"},
      {"--rate 1mbit --queue 20", "200p"},
      {"--queue 20p", "needs a --rate"},
      {"--ecn-mark 20p", "needs a --rate"},
      {"--rate 1mbit --queue bdp:1", "needs a --delay"},
      {"--duration 0", "60s"},
      {"--count 0", "--count"},
  };
  for (const auto& [line, hint] : mistakes) {
    CLI::App app;
    impair_options o;
    add_impair(app, o);
    try {
      app.parse(std::string{"impair a:tun0 b:tun0 "} + line, false);
      resolve(o);
      ADD_FAILURE() << line << " is taken";
    } catch (const CLI::Error& e) {
      EXPECT_NE(std::string{e.what()}.find(hint), std::string::npos) << line << ": " << e.what();
    }
  }
}

TEST(impair_mistakes, ends_are_two_devices) {
  for (const char* line : {"impair tun0 b:tun0", "impair a: b:tun0", "impair a:tun0", "impair a:tun0 a:tun0"}) {
    CLI::App app;
    impair_options o;
    add_impair(app, o);
    EXPECT_THROW((app.parse(line, false), resolve(o)), CLI::Error) << line;
  }
}

}  // namespace
}  // namespace tunic::app
