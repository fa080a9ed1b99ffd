#include "stack/base/address.hpp"

#include <gtest/gtest.h>

namespace tunic {
namespace {

struct text_case {
  const char* text;
  const char* canonical;  // RFC 5952
};

TEST(address, reads_every_form_and_prints_the_canonical_one) {
  const text_case cases[] = {
      {"198.51.100.1", "198.51.100.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:db8::1", "2001:db8::1"},
      {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},  // §4.1: no leading zeros
      {"2001:DB8::ABCD", "2001:db8::abcd"},                        // §4.3: lower case
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},               // §4.2.3: the first of two equal runs
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},                     // §4.2.3: the longer run
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},            // §4.2.2: never for a single group
      {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"1:0:0:0:0:0:0:0", "1::"},
      {"0:0:1:0:0:0:0:0", "0:0:1::"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
      {"::ffff:198.51.100.1", "198.51.100.1"},
      {"::ffff:c633:6401", "198.51.100.1"},
      {"64:ff9b::198.51.100.1", "64:ff9b::c633:6401"},
      {"1:2:3:4:5:6:198.51.100.1", "1:2:3:4:5:6:c633:6401"},
  };
  for (const auto& [text, canonical] : cases) {
    const auto a = address::parse(text);
    ASSERT_TRUE(a) << text;
    EXPECT_EQ(a->to_string(), canonical) << text;
    EXPECT_EQ(address::parse(a->to_string()), a) << text;
  }
}

TEST(address, refuses_what_is_no_address) {
  for (const char* text : {"",
                           " ",
                           "1",
                           "1.2.3",
                           "1.2.3.4.5",
                           "1.2.3.",
                           ".1.2.3",
                           "1..2.3",
                           "256.1.1.1",
                           "1.2.3.1000",
                           "1.2.3.04",
                           "01.2.3.4",
                           "1.2.3.4 ",
                           " 1.2.3.4",
                           "1.2.3.-4",
                           "1.2.3.+4",
                           "0x1.2.3.4",
                           "1.2.3.4/24",
                           ":",
                           ":::",
                           "1:",
                           ":1",
                           "1::2::3",
                           "::1::",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8",
                           "12345::",
                           "g::",
                           "::-1",
                           "1:2:3:4:5:6:7:",
                           ":2:3:4:5:6:7:8",
                           "::1.2.3",
                           "::1.2.3.256",
                           "1.2.3.4::",
                           "::1.2.3.4:5",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "fe80::1%eth0",
                           "[::1]"})
    EXPECT_FALSE(address::parse(text)) << "'" << text << "'";
}

TEST(address, tells_versions_apart) {
  const auto a = *address::parse("198.51.100.7");
  EXPECT_EQ(a, address::v4(198, 51, 100, 7));
  EXPECT_EQ(a.family(), family::v4);
  EXPECT_EQ(a.v4_value(), 0xc6336407u);
  EXPECT_EQ(a.bits(), 32u);
  EXPECT_EQ(a.wire_octets().size(), 4u);
  EXPECT_EQ(a.wire_octets()[0], 198);
  const auto b = *address::parse("2001:db8::7");
  EXPECT_EQ(b.family(), family::v6);
  EXPECT_EQ(b.bits(), 128u);
  EXPECT_EQ(b.wire_octets().size(), 16u);
  EXPECT_EQ(b.wire_octets()[1], 1);
  EXPECT_NE(address::any(family::v4), address::any(family::v6));
}

TEST(address, knows_the_special_ones) {
  struct special_case {
    const char* text;
    bool unspecified, multicast, broadcast, loopback, link_local;
  };
  const special_case cases[] = {
      {"0.0.0.0", true, false, false, false, false},
      {"::", true, false, false, false, false},
      {"224.0.0.1", false, true, false, false, false},
      {"239.255.255.255", false, true, false, false, false},
      {"223.255.255.255", false, false, false, false, false},
      {"240.0.0.1", false, false, false, false, false},
      {"ff02::1", false, true, false, false, false},
      {"feff::1", false, false, false, false, false},
      {"255.255.255.255", false, false, true, false, false},
      {"127.0.0.1", false, false, false, true, false},
      {"127.255.0.9", false, false, false, true, false},
      {"128.0.0.1", false, false, false, false, false},
      {"::1", false, false, false, true, false},
      {"::2", false, false, false, false, false},
      {"1::1", false, false, false, false, false},
      {"169.254.1.1", false, false, false, false, true},
      {"169.253.1.1", false, false, false, false, false},
      {"fe80::1", false, false, false, false, true},
      {"febf::1", false, false, false, false, true},
      {"fec0::1", false, false, false, false, false},
      {"198.51.100.1", false, false, false, false, false},
      {"2001:db8::1", false, false, false, false, false},
  };
  for (const auto& c : cases) {
    const auto a = *address::parse(c.text);
    EXPECT_EQ(a.is_unspecified(), c.unspecified) << c.text;
    EXPECT_EQ(a.is_multicast(), c.multicast) << c.text;
    EXPECT_EQ(a.is_broadcast(), c.broadcast) << c.text;
    EXPECT_EQ(a.is_loopback(), c.loopback) << c.text;
    EXPECT_EQ(a.is_link_local(), c.link_local) << c.text;
  }
}

TEST(prefix, reads_and_prints) {
  EXPECT_EQ(prefix::parse("198.51.100.2/24")->to_string(), "198.51.100.2/24");
  EXPECT_EQ(prefix::parse("198.51.100.2")->to_string(), "198.51.100.2/32");
  EXPECT_EQ(prefix::parse("0.0.0.0/0")->to_string(), "0.0.0.0/0");
  EXPECT_EQ(prefix::parse("2001:db8::2/64")->to_string(), "2001:db8::2/64");
  EXPECT_EQ(prefix::parse("2001:db8::2")->to_string(), "2001:db8::2/128");
  for (const char* text : {"", "/", "/24", "198.51.100.2/", "198.51.100.2/33", "198.51.100.2/-1", "198.51.100.2/ 1",
                           "198.51.100.2/24/24", "198.51.100.2/24x", "198.51.100/24", "2001:db8::/129", "x/24"})
    EXPECT_FALSE(prefix::parse(text)) << "'" << text << "'";
}

TEST(prefix, contains_what_shares_its_first_bits) {
  struct contains_case {
    const char* prefix;
    const char* address;
    bool inside;
  };
  const contains_case cases[] = {
      {"198.51.100.2/24", "198.51.100.255", true},
      {"198.51.100.2/24", "198.51.101.2", false},
      {"198.51.100.0/22", "198.51.103.255", true},
      {"198.51.100.0/22", "198.51.104.0", false},
      {"198.51.100.0/31", "198.51.100.1", true},
      {"198.51.100.0/31", "198.51.100.2", false},
      {"198.51.100.2/32", "198.51.100.2", true},
      {"198.51.100.2/32", "198.51.100.3", false},
      {"0.0.0.0/0", "255.255.255.255", true},
      {"128.0.0.0/1", "127.255.255.255", false},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"::/0", "198.51.100.1", false},
      {"::/0", "2001:db8::1", true},
      {"2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff", true},
      {"2001:db8::/64", "2001:db8:0:1::", false},
      {"2001:db8::/33", "2001:db8:7fff::", true},
      {"2001:db8::/33", "2001:db8:8000::", false},
      {"2001:db8::1/128", "2001:db8::1", true},
      {"2001:db8::1/128", "2001:db8::3", false},
      {"2001:db8::1/127", "2001:db8::", true},
  };
  for (const auto& c : cases)
    EXPECT_EQ(prefix::parse(c.prefix)->contains(*address::parse(c.address)), c.inside) << c.prefix << " " << c.address;
}

TEST(endpoint, prints_version_6_in_brackets) {
  EXPECT_EQ((endpoint{*address::parse("198.51.100.2"), 80}.to_string()), "198.51.100.2:80");
  EXPECT_EQ((endpoint{*address::parse("2001:db8::2"), 65535}.to_string()), "[2001:db8::2]:65535");
}

}  // namespace
}  // namespace tunic
