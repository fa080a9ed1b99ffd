#include "stack/wire/tcp.hpp"

#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/print.hpp"
#include "tests/wire/packets.hpp"
#include "tests/wire/support.hpp"

namespace tunic::wire {
namespace {

using enum checksum_state;

constexpr std::uint8_t tcp_protocol = 6;

struct segment {
  std::vector<std::byte> octets;
  address source = kernel_v4;
  address destination = peer_v4;

  [[nodiscard]] result<tcp_header, drop> parse(checksum_state state = unknown) const {
    return parse_tcp(octets, source, destination, state);
  }
};

segment segment_of(std::string_view hex) {
  segment s{octets_of(hex)};
  const bool v4 = load8(s.octets.data()) >> 4 == 4;
  s.octets.erase(s.octets.begin(), s.octets.begin() + (v4 ? 20 : 40));
  if (!v4) s.source = kernel_v6, s.destination = peer_v6;
  return s;
}

std::vector<std::byte> emitted(const tcp_header& h) {
  std::vector<std::byte> o(tcp_header::max_size, std::byte{0xee});
  const std::size_t size = emit_tcp(h, o);
  for (std::size_t i = size; i < o.size(); ++i) EXPECT_EQ(o[i], std::byte{0xee}) << "wrote behind its header";
  o.resize(size);
  return o;
}

// A segment with these options, padded with zeros (end of list) to whole words.
result<tcp_header, drop> with_options(std::string_view hex) {
  auto options = octets_of(hex);
  while (options.size() % 4 != 0) options.push_back(std::byte{0});
  auto o = octets_of("a6 04 00 50 59 6d 18 03 00 00 00 00 50 02 fa f0 00 00 00 00");
  store8(&o[12], static_cast<std::uint8_t>((20 + options.size()) / 4 << 4));
  o.insert(o.end(), options.begin(), options.end());
  set_checksum(o, 16, kernel_v4, peer_v4, tcp_protocol);
  static guarded guard;
  return parse_tcp(guard.hold(o), kernel_v4, peer_v4, unknown);
}

TEST(tcp, reads_what_linux_sends) {
  for (const auto& p : packets::tcp) {
    const segment s = segment_of(p.octets);
    const auto h = s.parse();
    ASSERT_TRUE(h) << p.name;
    EXPECT_EQ(h->source_port, load16(&s.octets[0])) << p.name;
    EXPECT_EQ(h->destination_port, load16(&s.octets[2])) << p.name;
    const auto text = static_cast<std::uint32_t>(s.octets.size() - h->header_length);
    EXPECT_EQ(print(*h, text, {seq{p.seq_base}, seq{p.ack_base}}), p.printed) << p.name;
  }
}

TEST(tcp, reads_every_field) {
  const auto h = segment_of(packets::tcp[2].octets).parse();  // a SYN that offers ECN
  ASSERT_TRUE(h);
  EXPECT_EQ(h->source_port, 0xa616);
  EXPECT_EQ(h->destination_port, 80);
  EXPECT_EQ(h->seq_number, seq{0x633e61f3});
  EXPECT_EQ(h->ack_number, seq{0});
  EXPECT_EQ(h->header_length, 40);
  EXPECT_EQ(h->flags, (tcp_flags{.syn = true, .ece = true, .cwr = true}));
  EXPECT_EQ(h->window, wire_window{64240});
  EXPECT_EQ(h->urgent_pointer, 0);
  EXPECT_EQ(h->options.mss, 1460);
  EXPECT_EQ(h->options.window_scale, window_shift{10});
  EXPECT_TRUE(h->options.sack_permitted);
  EXPECT_EQ(h->options.timestamps, (tcp_timestamps{0x53e6cd6d, 0}));
  EXPECT_TRUE(h->options.sack.empty());
}

TEST(tcp, writes_what_it_read) {
  for (const auto& p : packets::tcp) {
    const segment s = segment_of(p.octets);
    const auto h = s.parse();
    ASSERT_TRUE(h) << p.name;
    auto o = emitted(*h);
    EXPECT_EQ(o.size(), h->header_length) << p.name;
    EXPECT_EQ(load16(&o[16]), 0) << p.name;
    o.insert(o.end(), s.octets.begin() + h->header_length, s.octets.end());
    set_checksum(o, 16, s.source, s.destination, tcp_protocol);
    EXPECT_EQ(o, s.octets) << p.name;
  }
}

TEST(tcp, reads_each_flag_by_itself) {
  const tcp_flags flags[] = {{.fin = true}, {.syn = true}, {.rst = true}, {.psh = true}, {.ack = true},
                             {.urg = true}, {.ece = true}, {.cwr = true}, {.ae = true}};
  for (unsigned bit = 0; bit < 9; ++bit) {
    auto o = octets_of("a6 04 00 50 59 6d 18 03 00 00 00 00 50 00 fa f0 00 00 00 00");
    store16(&o[12], static_cast<std::uint16_t>(0x5000 | 1u << bit));
    const auto h = parse_tcp(o, kernel_v4, peer_v4, good);
    ASSERT_TRUE(h);
    EXPECT_EQ(h->flags, flags[bit]) << bit;
    EXPECT_EQ(emitted(*h), o) << bit;
  }
}

TEST(tcp, verifies_the_checksum_unless_the_device_did) {  // RFC 9293 §3.1, MUST-3
  const segment s = segment_of(packets::tcp[6].octets);
  for (std::size_t bit = 0; bit < s.octets.size() * 8; ++bit) {
    segment garbled = s;
    garbled.octets[bit / 8] ^= static_cast<std::byte>(0x80 >> bit % 8);
    ASSERT_FALSE(garbled.parse()) << bit;
    const bool in_data_offset = bit / 8 == 12 && bit % 8 < 4;
    EXPECT_TRUE(in_data_offset || garbled.parse().error() == drop::bad_checksum) << bit;
  }
  segment text = s;
  text.octets.back() ^= std::byte{1};
  EXPECT_TRUE(text.parse(good));
  EXPECT_TRUE(text.parse(partial));
}

TEST(tcp, the_checksum_covers_the_addresses) {
  for (const auto& p : {packets::tcp[0], packets::tcp[4]}) {
    segment s = segment_of(p.octets);
    s.destination = s.source.is_v4() ? address::v4(198, 51, 100, 3) : *address::parse("2001:db8::3");
    ASSERT_FALSE(s.parse()) << p.name;
    EXPECT_EQ(s.parse().error(), drop::bad_checksum) << p.name;
  }
}

TEST(tcp, refuses_every_truncation) {
  guarded guard;
  for (const auto& p : packets::tcp) {
    const segment s = segment_of(p.octets);
    const std::size_t header = s.parse()->header_length;
    for (std::size_t n = 0; n < s.octets.size(); ++n) {
      const octets cut = guard.hold(octets{s.octets}.first(n));
      const drop reason = n < 20 ? drop::too_short : n < header ? drop::bad_header_length : drop::bad_checksum;
      const auto h = parse_tcp(cut, s.source, s.destination, unknown);
      ASSERT_FALSE(h) << p.name << " " << n;
      EXPECT_EQ(h.error(), reason) << p.name << " " << n;
      EXPECT_EQ(static_cast<bool>(parse_tcp(cut, s.source, s.destination, good)), n >= header) << p.name << " " << n;
    }
  }
}

TEST(tcp, refuses_every_data_offset_below_the_fixed_header) {
  for (unsigned words = 0; words < 5; ++words) {
    auto o = octets_of("a6 04 00 50 59 6d 18 03 00 00 00 00 00 02 fa f0 00 00 00 00");
    store8(&o[12], static_cast<std::uint8_t>(words << 4));
    const auto h = parse_tcp(o, kernel_v4, peer_v4, good);
    ASSERT_FALSE(h);
    EXPECT_EQ(h.error(), drop::bad_header_length);
  }
}

TEST(tcp, reads_options_in_any_order_and_alignment) {
  const auto h = with_options("03 03 07 08 0a 00 00 00 01 00 00 00 02 04 02 01 02 04 05 b4");
  ASSERT_TRUE(h);
  EXPECT_EQ(h->options.window_scale, window_shift{7});
  EXPECT_EQ(h->options.timestamps, (tcp_timestamps{1, 2}));
  EXPECT_TRUE(h->options.sack_permitted);
  EXPECT_EQ(h->options.mss, 1460);
}

TEST(tcp, reads_what_follows_aligned_timestamps) {
  const auto h = with_options("01 01 08 0a 00 00 00 01 00 00 00 02 03 03 07 04 02");
  ASSERT_TRUE(h);
  EXPECT_EQ(h->options.timestamps, (tcp_timestamps{1, 2}));
  EXPECT_EQ(h->options.window_scale, window_shift{7});
  EXPECT_TRUE(h->options.sack_permitted);
}

TEST(tcp, stops_at_the_end_of_the_option_list) {  // RFC 9293 §3.2
  const auto h = with_options("02 04 05 b4 00 ff ff ff");
  ASSERT_TRUE(h);
  EXPECT_EQ(h->options.mss, 1460);
  ASSERT_TRUE(with_options("00 02 04 05"));
  EXPECT_FALSE(with_options("00 02 04 05")->options.mss);
}

TEST(tcp, skips_options_that_it_does_not_know) {  // RFC 9293 §3.2, MUST-6
  const auto h = with_options("fe 02 13 12 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 22 02 02 04 05 b4");
  ASSERT_TRUE(h);
  EXPECT_EQ(h->options.mss, 1460);
}

TEST(tcp, reads_a_shift_above_14_as_14) {  // RFC 7323 §2.3
  EXPECT_EQ(with_options("03 03 0e")->options.window_scale, window_shift{14});
  EXPECT_EQ(with_options("03 03 0f")->options.window_scale, window_shift{14});
  EXPECT_EQ(with_options("03 03 ff")->options.window_scale, window_shift{14});
  EXPECT_EQ(with_options("03 03 00")->options.window_scale, window_shift{0});
}

TEST(tcp, keeps_at_most_four_sack_blocks) {
  const auto h = with_options(
      "05 12 00 00 00 01 00 00 00 02 00 00 00 03 00 00 00 04 "
      "05 12 00 00 00 05 00 00 00 06 00 00 00 07 00 00 00 08");
  ASSERT_TRUE(h);
  const sack_block expected[] = {{seq{1}, seq{2}}, {seq{3}, seq{4}}, {seq{5}, seq{6}}, {seq{7}, seq{8}}};
  EXPECT_TRUE(std::equal(h->options.sack.begin(), h->options.sack.end(), std::begin(expected), std::end(expected)));
  sack_list full = h->options.sack;
  full.push_back({seq{9}, seq{10}});
  EXPECT_EQ(full.size(), 4u);
}

TEST(tcp, reads_the_counters_of_accurate_ecn) {  // RFC 9768 §3.2.3
  const auto whole = with_options("ac 0b 00 00 01 12 34 56 ff ff ff");
  ASSERT_TRUE(whole && whole->options.accurate_ecn);
  EXPECT_EQ(whole->options.accurate_ecn->e0b(), 1u);
  EXPECT_EQ(whole->options.accurate_ecn->ceb(), 0x123456u);
  EXPECT_EQ(whole->options.accurate_ecn->e1b(), 0xffffffu);
  const auto other = with_options("ae 08 00 00 02 00 00 03");
  EXPECT_EQ(other->options.accurate_ecn->e1b(), 2u);
  EXPECT_EQ(other->options.accurate_ecn->ceb(), 3u);
  EXPECT_FALSE(other->options.accurate_ecn->e0b());
  // Of any other length, the whole fields count and the rest is padding.
  EXPECT_EQ(with_options("ac 02")->options.accurate_ecn->fields, 0);
  EXPECT_EQ(with_options("ac 04 01 02")->options.accurate_ecn->fields, 0);
  EXPECT_EQ(with_options("ac 07 00 00 09 01 02")->options.accurate_ecn->fields, 1);
  EXPECT_EQ(with_options("ac 0e 00 00 01 00 00 02 00 00 03 04 05 06")->options.accurate_ecn->e1b(), 3u);
}

TEST(tcp, reads_the_cookie_of_fast_open) {  // RFC 7413 §4.1.1
  const auto request = with_options("22 02 01 01")->options.fast_open;
  EXPECT_EQ(request, fast_open{});
  const auto cookie = with_options("22 06 01 02 03 ff 01 01")->options.fast_open;
  EXPECT_EQ(cookie, (fast_open{4, false, {1, 2, 3, 255}}));
  const auto longest = with_options("22 12 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 01 01")->options.fast_open;
  EXPECT_EQ(longest, (fast_open{16, false, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}}));
  EXPECT_EQ(with_options("fe 04 f9 89")->options.fast_open, (fast_open{0, true, {}}));
  EXPECT_EQ(with_options("fe 08 f9 89 0a 0b 0c 0d")->options.fast_open, (fast_open{4, true, {10, 11, 12, 13}}));
}

TEST(tcp, ignores_a_cookie_of_another_length) {                                               // RFC 7413 §4.1.1
  for (const char* options : {"22 03 01 01",                                                  // one octet
                              "22 04 01 02",                                                  // two
                              "22 07 01 02 03 04 05 01",                                      // an odd number
                              "22 14 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11",  // eighteen
                              "fe 06 f9 89 01 02 01 01",                                      // two, in the old form
                              "fe 09 f9 89 01 02 03 04 05 01 01 01",                          //
                              "fe 16 f9 89 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 01 01",  //
                              "fe 08 f9 88 01 02 03 04",  // another experiment
                              "fe 02 01 01", "fe 03 f9 01"}) {
    const auto h = with_options(std::string{options} + " 02 04 05 b4");
    ASSERT_TRUE(h) << options;
    EXPECT_FALSE(h->options.fast_open) << options;
    EXPECT_EQ(h->options.mss, 1460) << options << ": what stands behind it counts";
  }
}

TEST(tcp, a_cookie_comes_back_as_it_was_written) {
  for (const auto& o : {fast_open{}, fast_open{0, true, {}}, fast_open{10, false, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
                        fast_open{16, true, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}}) {
    tcp_header h{.flags = {.syn = true}};
    h.options = {.mss = 1460,
                 .window_scale = window_shift{7},
                 .sack_permitted = true,
                 .timestamps = tcp_timestamps{1, 2},
                 .accurate_ecn = accurate_ecn{false, 3, {1, 0, 1}},
                 .fast_open = o};
    std::array<std::byte, tcp_header::max_size> octets{};
    const std::size_t size = emit_tcp(h, octets);
    EXPECT_EQ(size, size_of(h.options, h.flags));
    EXPECT_LE(size, tcp_header::max_size);
    const auto back = parse_tcp(std::span{octets}.first(size), {}, {}, checksum_state::good);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->options.fast_open, o);
    EXPECT_EQ(back->options.timestamps, h.options.timestamps);
  }
}

TEST(tcp, refuses_options_with_illegal_lengths) {  // RFC 9293 §3.2, MUST-7
  for (const char* options : {
           "fe 00",                                            // would never end
           "fe 01 01 01",                                      // shorter than itself
           "02 00 00 00",                                      //
           "01 01 01 02",                                      // a kind without its length
           "01 01 01 fe",                                      //
           "01 01 02 04",                                      // an MSS beyond the header
           "fe 05 00 00",                                      // one octet beyond
           "fe ff 00 00",                                      //
           "02 03 05 00",                                      // an MSS of one octet
           "02 05 05 b4 00",                                   // an MSS of three
           "02 02 01 01",                                      //
           "03 02 01 01",                                      // a window scale of nothing
           "03 04 07 00",                                      //
           "04 03 00 01",                                      // SACK permitted with a value
           "08 02 01 01",                                      // timestamps of nothing
           "08 09 00 00 00 01 00 00 00 01 01 01",              //
           "08 0b 00 00 00 01 00 00 00 02 00 01",              //
           "05 02 01 01",                                      // SACK of no block
           "05 06 00 00 00 01 01 01",                          // SACK of half a block
           "05 09 00 00 00 01 00 00 00 01 01 01",              // ragged
           "05 0e 00 00 00 01 00 00 00 02 00 00 00 03 01 01",  // one and a half
           "01 01 08 0a 00 00 00 01 00 00 00 02 05 03 00 01",  // behind good ones
           "01 01 08 0a 00 00 00 01",                          // aligned timestamps cut short
       }) {
    const auto h = with_options(options);
    ASSERT_FALSE(h) << options;
    EXPECT_EQ(h.error(), drop::bad_option) << options;
  }
}

// Every combination of options and of the flags that decide where they may stand.
template <class Check>
void for_every_header(Check check) {
  for (unsigned bits = 0; bits < 256; ++bits)
    for (std::size_t blocks = 0; blocks <= 4; ++blocks) {
      tcp_header h{.source_port = 1, .destination_port = 2, .seq_number = seq{3}, .ack_number = seq{4}};
      h.flags = {.syn = (bits & 1) != 0, .ack = (bits & 2) != 0};
      if (bits & 4) h.options.mss = 1460;
      if (bits & 8) h.options.window_scale = window_shift{7};
      h.options.sack_permitted = (bits & 16) != 0;
      if (bits & 32) h.options.timestamps = tcp_timestamps{0x01020304, 0x05060708};
      if (bits & 64) h.options.accurate_ecn = accurate_ecn{true, static_cast<std::uint8_t>(bits >> 7), {}};
      if (bits & 128 && h.options.accurate_ecn) h.options.accurate_ecn = accurate_ecn{false, 3, {1, 0xabcdef, 2}};
      for (std::uint32_t i = 0; i < blocks; ++i) h.options.sack.push_back({seq{100 * i + 1}, seq{100 * i + 51}});
      check(h);
    }
}

TEST(tcp, size_of_says_what_emit_writes) {
  for_every_header([](const tcp_header& h) {
    const auto o = emitted(h);
    const std::string name = print(h, 0);
    EXPECT_EQ(size_of(h.options, h.flags), o.size()) << name;
    EXPECT_EQ((load8(&o[12]) >> 4) * 4u, o.size()) << name;
    EXPECT_LE(o.size(), tcp_header::max_size) << name;
  });
}

TEST(tcp, what_is_written_is_read_back) {
  for_every_header([](const tcp_header& h) {
    const auto back = parse_tcp(emitted(h), kernel_v4, peer_v4, good);
    const std::string name = print(h, 0);
    ASSERT_TRUE(back) << name;
    EXPECT_EQ(back->seq_number, h.seq_number) << name;
    EXPECT_EQ(back->ack_number, h.ack_number) << name;
    EXPECT_EQ(back->flags, h.flags) << name;
    EXPECT_EQ(back->options.timestamps, h.options.timestamps) << name;
    EXPECT_EQ(back->options.accurate_ecn, h.options.accurate_ecn) << name;
    if (h.flags.syn) {
      EXPECT_EQ(back->options.mss, h.options.mss) << name;
      EXPECT_EQ(back->options.window_scale, h.options.window_scale) << name;
      EXPECT_EQ(back->options.sack_permitted, h.options.sack_permitted) << name;
      EXPECT_TRUE(back->options.sack.empty()) << name;
    } else {  // the others belong to the handshake
      EXPECT_FALSE(back->options.mss || back->options.window_scale || back->options.sack_permitted) << name;
      const std::size_t taken =
          (h.options.timestamps ? 12 : 0) + (h.options.accurate_ecn ? h.options.accurate_ecn->size() : 0);
      const std::size_t fit = std::min<std::size_t>(h.options.sack.size(), (36 - taken) / 8);
      EXPECT_TRUE(std::equal(back->options.sack.begin(), back->options.sack.end(), h.options.sack.begin(),
                             h.options.sack.begin() + fit))
          << name;
    }
  });
}

TEST(tcp, writes_into_exactly_the_room_that_it_needs) {
  for_every_header([](const tcp_header& h) {
    std::vector<std::byte> o(size_of(h.options, h.flags));
    EXPECT_EQ(emit_tcp(h, o), o.size());
  });
}

}  // namespace
}  // namespace tunic::wire
