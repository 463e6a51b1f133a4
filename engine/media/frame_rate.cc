#include "media/frame_rate.h"

#include <charconv>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace cosmos {
namespace {

constexpr double kHighest = 1000;

// Reads all of `text`; false when it is no number of that type.
template <typename Number>
bool Read(std::string_view text, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

FrameRate Reduced(int numerator, int denominator) {
  const int divisor = std::gcd(numerator, denominator);
  return {numerator / divisor, denominator / divisor};
}

// 23.976, 23.98, 29.97, …: a whole rate slowed down by 1000/1001, as far as two digits can say it.
FrameRate FromDecimal(double rate) {
  const double whole = std::ceil(rate);
  const double cents = std::round(rate * 100) / 100;
  if (rate < whole && cents == std::round(whole * 100 * 1000 / 1001) / 100) {
    return {static_cast<int>(whole) * 1000, 1001};
  }
  constexpr int kThousandths = 1000;
  return Reduced(static_cast<int>(std::lround(rate * kThousandths)), kThousandths);
}

}  // namespace

FrameRate ParseFrameRate(std::string_view text) {
  const std::size_t slash = text.find('/');
  FrameRate rate;
  double decimal = 0;
  if (slash != text.npos) {
    int numerator = 0, denominator = 0;
    if (Read(text.substr(0, slash), &numerator) && Read(text.substr(slash + 1), &denominator) && numerator > 0 &&
        denominator > 0) {
      rate = Reduced(numerator, denominator);
    }
  } else if (Read(text, &decimal) && decimal > 0 && decimal <= kHighest) {
    rate = FromDecimal(decimal);
  }
  if (rate.numerator > 0 && rate.PerSecond() <= kHighest) return rate;
  throw Error(ErrorCode::kInvalidInput, "found '" + std::string(text) + "' as a frame rate",
              "expected frames a second, such as 24, 23.976 or 24000/1001");
}

std::string ToString(FrameRate rate) {
  return std::to_string(rate.numerator) + (rate.denominator == 1 ? "" : "/" + std::to_string(rate.denominator));
}

}  // namespace cosmos
