#include "http/server/coding.hpp"

#include <brotli/encode.h>
#include <new>
#include <zlib.h>
#include <zstd.h>

namespace tunic::http {
namespace {

constexpr int gzip_level = 6, brotli_level = 5, zstd_level = 6;
constexpr int largest_window = 15, and_gzip_frame = 16;  // zlib: how deflateInit2's windowBits are spelled

std::string gzip(std::span<const std::byte> content) {
  z_stream z{};
  if (::deflateInit2(&z, gzip_level, Z_DEFLATED, largest_window + and_gzip_frame, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) !=
      Z_OK)
    throw std::bad_alloc();
  std::string out(::deflateBound(&z, content.size()), '\0');
  z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(content.data()));
  z.avail_in = static_cast<uInt>(content.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  const bool done = ::deflate(&z, Z_FINISH) == Z_STREAM_END;
  out.resize(z.total_out);
  ::deflateEnd(&z);
  if (!done) throw std::bad_alloc();
  return out;
}

std::string brotli(std::span<const std::byte> content) {
  std::string out(::BrotliEncoderMaxCompressedSize(content.size()), '\0');
  std::size_t size = out.size();
  if (::BrotliEncoderCompress(brotli_level, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, content.size(),
                              reinterpret_cast<const std::uint8_t*>(content.data()), &size,
                              reinterpret_cast<std::uint8_t*>(out.data())) != BROTLI_TRUE)
    throw std::bad_alloc();
  out.resize(size);
  return out;
}

std::string zstd(std::span<const std::byte> content) {
  std::string out(::ZSTD_compressBound(content.size()), '\0');
  const auto size = ::ZSTD_compress(out.data(), out.size(), content.data(), content.size(), zstd_level);
  if (::ZSTD_isError(size) != 0) throw std::bad_alloc();
  out.resize(size);
  return out;
}

}  // namespace

std::string_view name(content_coding coding) {
  switch (coding) {
    case content_coding::identity: return "identity";
    case content_coding::gzip: return "gzip";
    case content_coding::br: return "br";
    case content_coding::zstd: return "zstd";
  }
  return {};
}

std::string_view suffix(content_coding coding) {
  switch (coding) {
    case content_coding::identity: return "";
    case content_coding::gzip: return ".gz";
    case content_coding::br: return ".br";
    case content_coding::zstd: return ".zst";
  }
  return {};
}

std::string encode(content_coding coding, std::span<const std::byte> content) {
  switch (coding) {
    case content_coding::identity: break;
    case content_coding::gzip: return gzip(content);
    case content_coding::br: return brotli(content);
    case content_coding::zstd: return zstd(content);
  }
  return {reinterpret_cast<const char*>(content.data()), content.size()};
}

}  // namespace tunic::http
