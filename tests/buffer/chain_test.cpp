#include "stack/buffer/chain.hpp"

#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "stack/buffer/shared_octets.hpp"

namespace tunic {
namespace {

std::span<const std::byte> octets_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

std::string text_of(std::span<const std::byte> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

std::string text_of(const std::vector<slice>& slices) {
  std::string text;
  for (const slice& s : slices) text += text_of(s.octets());
  return text;
}

slice in_buffer(pool& from, std::string_view text) {
  const buffer_ref b = from.fitting(text.size());
  std::copy_n(octets_of(text).data(), text.size(), b->room().data());
  return pool::view(b, text.size());
}

TEST(chain, is_empty_at_first) {
  const chain c{1000};
  EXPECT_TRUE(c.empty());
  EXPECT_EQ(c.begin(), 1000u);
  EXPECT_EQ(c.end(), 1000u);
  EXPECT_EQ(c.size(), 0u);
  EXPECT_EQ(c.charge(), 0u);
  EXPECT_TRUE(c.front().empty());
  std::vector<slice> out;
  EXPECT_EQ(c.gather(1000, 10, 10, out), 0u);
  EXPECT_TRUE(out.empty());
}

TEST(chain, keeps_offsets_of_the_whole_stream) {
  pool p;
  chain c{0xfffffffe};
  c.push_back(in_buffer(p, "abc"));
  c.push_back(slice{});  // nothing to keep
  c.push_back(in_buffer(p, "defgh"));
  EXPECT_EQ(c.end(), 0x100000006u);
  c.pop_front(4);
  EXPECT_EQ(c.begin(), 0x100000002u);
  EXPECT_EQ(text_of(c.front()), "efgh");
  std::vector<slice> out;
  EXPECT_EQ(c.gather(0x100000003, 2, 10, out), 2u);
  EXPECT_EQ(text_of(out), "fg");
  EXPECT_EQ(c.gather(c.end(), 2, 10, out), 0u);
}

TEST(chain, gathers_without_copying) {
  pool p;
  chain c;
  const slice first = in_buffer(p, "hello ");
  const slice second = in_buffer(p, "world");
  c.push_back(first);
  c.push_back(second);
  std::vector<slice> out;
  EXPECT_EQ(c.gather(2, 6, 10, out), 6u);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].data(), first.data() + 2);
  EXPECT_EQ(out[1].data(), second.data());
  EXPECT_EQ(text_of(out), "llo wo");
  out.clear();
  EXPECT_EQ(c.gather(2, 100, 1, out), 4u);  // no more slices than asked for
  EXPECT_EQ(text_of(out), "llo ");
}

TEST(chain, gathered_octets_outlive_their_place_in_it) {
  pool p;
  std::vector<slice> out;
  {
    chain c;
    c.push_back(in_buffer(p, "sent"));
    c.gather(0, 4, 1, out);
    c.pop_front(4);
    EXPECT_EQ(c.charge(), 0u);
  }
  EXPECT_EQ(text_of(out), "sent");
  out.clear();
  EXPECT_EQ(p.in_use(), 0u);
}

TEST(chain, copies_small_writes_into_one_buffer) {
  pool p;
  chain c;
  for (int i = 0; i < 100; ++i) c.copy_in(p, octets_of("0123456789"));
  EXPECT_EQ(p.in_use(), 1u);
  EXPECT_EQ(c.charge(), pool::small_size);
  EXPECT_EQ(c.front().size(), 1000u);
  c.pop_front(999);
  c.copy_in(p, octets_of("ab"));  // behind what is still there
  EXPECT_EQ(p.in_use(), 1u);
  EXPECT_EQ(text_of(c.front()), "9ab");
  c.pop_front(3);
  EXPECT_EQ(p.in_use(), 0u);
}

TEST(chain, what_was_gathered_does_not_change_when_more_is_copied_behind_it) {
  pool p;
  chain c;
  c.copy_in(p, octets_of("one"));
  std::vector<slice> out;
  c.gather(0, 100, 10, out);
  c.copy_in(p, octets_of("two"));
  EXPECT_EQ(text_of(out), "one");
  EXPECT_EQ(text_of(c.front()), "onetwo");
}

TEST(chain, never_writes_into_a_buffer_that_it_was_given) {
  pool p;
  const buffer_ref received = p.small();
  received->room()[0] = std::byte{'x'};
  received->room()[1] = std::byte{'y'};  // somebody else's
  chain c;
  c.push_back(pool::view(received, 1));
  c.copy_in(p, octets_of("z"));
  EXPECT_EQ(received->room()[1], std::byte{'y'});
  std::vector<slice> out;
  c.gather(0, 2, 10, out);
  EXPECT_EQ(text_of(out), "xz");
}

TEST(chain, copies_more_than_a_buffer_holds) {
  pool p;
  const std::string text(3 * pool::large_size + 17, 'm');
  chain c;
  c.copy_in(p, octets_of(text));
  EXPECT_EQ(c.size(), text.size());
  std::string back(text.size() + 1, ' ');
  EXPECT_EQ(c.copy_out(std::as_writable_bytes(std::span{back})), text.size());
  EXPECT_EQ(back, text + ' ');
  EXPECT_EQ(c.charge(), 0u);
  EXPECT_EQ(p.in_use(), 0u);
}

TEST(chain, charges_whole_buffers_but_only_the_octets_that_a_caller_shares) {
  pool p;
  chain c;
  const std::string shared(5000, 's');
  c.push_back(adopt(nullptr, octets_of(shared)));
  EXPECT_EQ(c.charge(), 5000u);
  c.push_back(in_buffer(p, "x"));
  EXPECT_EQ(c.charge(), 5000u + pool::small_size);
  c.pop_front(1000);
  EXPECT_EQ(c.charge(), 4000u + pool::small_size);
  c.pop_front(4000);
  EXPECT_EQ(c.charge(), pool::small_size);
  c.pop_front(1);
  EXPECT_EQ(c.charge(), 0u);
}

TEST(chain, clearing_forgets_the_octets_but_not_the_offset) {
  pool p;
  chain c;
  for (int i = 0; i < 10; ++i) c.push_back(in_buffer(p, "octets"));
  c.pop_front(7);
  c.clear();
  EXPECT_TRUE(c.empty());
  EXPECT_EQ(c.begin(), 60u);
  EXPECT_EQ(c.charge(), 0u);
  EXPECT_EQ(p.in_use(), 0u);
  c.push_back(in_buffer(p, "more"));
  EXPECT_EQ(c.end(), 64u);
  EXPECT_EQ(text_of(c.front()), "more");
}

TEST(chain, lets_go_of_a_buffer_with_its_last_octet) {
  pool p;
  chain c;
  c.push_back(in_buffer(p, "ab"));
  c.push_back(in_buffer(p, "cd"));
  c.pop_front(1);
  EXPECT_EQ(p.in_use(), 2u);
  c.pop_front(1);
  EXPECT_EQ(p.in_use(), 1u);
}

// Random operations against a string.
class chain_model {
 public:
  chain_model(std::uint64_t seed, std::uint64_t begin) : random_(seed), chain_(begin), begin_(begin) {}

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      step();
      check();
    }
    chain_.clear();
    EXPECT_EQ(chain_.charge(), 0u);
    EXPECT_EQ(pool_.in_use(), 0u);
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }

  std::string any_text() {
    const std::size_t sizes[] = {1, 10, 100, 1500, pool::small_size, 3000, 70'000, 140'000};
    std::string text(1 + below(sizes[below(std::size(sizes))]), ' ');
    for (char& c : text) c = static_cast<char>(counter_++ * 2654435761u >> 24);
    return text;
  }

  void step() {
    switch (below(content_.size() > 400'000 ? 3 : 6)) {
      case 0:
        pop(below(2) == 0 ? below(content_.size() + 1) : std::min<std::size_t>(content_.size(), below(2000)));
        break;
      case 1: copy_out(below(3000)); break;
      case 2:
        if (below(20) == 0) pop(content_.size());
        break;
      case 3: {
        const auto text = any_text();
        chain_.copy_in(pool_, octets_of(text));
        content_ += text;
        break;
      }
      case 4: {
        const auto text = any_text().substr(0, pool::large_size);
        slice s = in_buffer(pool_, text);
        const auto from = static_cast<std::uint32_t>(below(text.size()));
        chain_.push_back(s.sub(from));
        content_ += text.substr(from);
        break;
      }
      case 5: {
        const auto text = std::make_shared<const std::string>(any_text());
        chain_.push_back(adopt(text, octets_of(*text)));
        content_ += *text;
        break;
      }
    }
  }

  void pop(std::size_t n) {
    chain_.pop_front(n);
    content_.erase(0, n);
    begin_ += n;
  }

  void copy_out(std::size_t n) {
    std::vector<std::byte> to(n);
    const std::size_t got = chain_.copy_out(to);
    ASSERT_EQ(got, std::min(n, content_.size()));
    EXPECT_EQ(text_of(std::span{to}.first(got)), content_.substr(0, got));
    content_.erase(0, got);
    begin_ += got;
  }

  void check() {
    ASSERT_EQ(chain_.begin(), begin_);
    ASSERT_EQ(chain_.size(), content_.size());
    EXPECT_EQ(chain_.empty(), content_.empty());
    EXPECT_GE(chain_.charge(), chain_.size());
    EXPECT_LT(chain_.charge(), std::uint64_t{1} << 40) << "below zero";
    if (content_.empty()) {
      EXPECT_EQ(chain_.charge(), 0u);
      EXPECT_EQ(pool_.in_use(), 0u);
    }
    const auto front = chain_.front();
    EXPECT_EQ(front.empty(), content_.empty());
    EXPECT_EQ(text_of(front), content_.substr(0, front.size()));

    const std::size_t offset = below(content_.size() + 1);
    const auto n = static_cast<std::uint32_t>(below(100'000));
    const std::size_t most = 1 + below(30);
    std::vector<slice> out;
    const std::uint32_t got = chain_.gather(begin_ + offset, n, most, out);
    const auto there = static_cast<std::uint32_t>(std::min<std::size_t>(n, content_.size() - offset));
    EXPECT_LE(out.size(), most);
    EXPECT_TRUE(got == there || (got < there && out.size() == most)) << got << " of " << there;
    EXPECT_EQ(text_of(out), content_.substr(offset, got));
  }

  std::mt19937_64 random_;
  pool pool_;
  chain chain_;
  std::string content_;
  std::uint64_t begin_;
  std::uint32_t counter_ = 0;
};

TEST(chain, agrees_with_a_string) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    chain_model{seed, seed % 2 == 0 ? 0u : 0xfff00000u}.run(2'500);
  }
}

}  // namespace
}  // namespace tunic
