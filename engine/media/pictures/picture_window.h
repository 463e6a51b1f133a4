#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace cosmos {

// A rectangle of pixels on the plane of an EXR file. A value.
struct PictureWindow {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

// Where the pixels of a data window stand in the picture that is made of the window that is shown. Its pixels are
// numbered row by row from the top. A value.
class PicturePlacement {
 public:
  // `orientation` is how the picture is turned, 1 to 8 as TIFF counts; 1 is upright.
  PicturePlacement(PictureWindow shown, PictureWindow data, int orientation = 1) : shown_(shown), data_(data) {
    const std::int64_t w = shown.width, h = shown.height;
    turned_ = orientation >= 5;
    const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    step_x_ = (turned_ ? h : 1) * (flip_x ? -1 : 1);
    step_y_ = (turned_ ? 1 : w) * (flip_y ? -1 : 1);
    origin_ = (flip_x ? -step_x_ * (w - 1) : 0) + (flip_y ? -step_y_ * (h - 1) : 0);
  }

  PictureWindow data() const { return data_; }
  int width() const { return turned_ ? shown_.height : shown_.width; }
  int height() const { return turned_ ? shown_.width : shown_.height; }
  std::size_t pixels() const {
    return static_cast<std::size_t>(shown_.width) * static_cast<std::size_t>(shown_.height);
  }

  // Calls `put(to, from)` for each pixel of a row of the data window that is shown: its number, and its place in the
  // row.
  template <typename Put>
  void ForRow(int y, const Put& put) const {
    if (y < shown_.y || y >= shown_.y + shown_.height) return;
    const int left = std::max(shown_.x, data_.x);
    const int right = std::min(shown_.x + shown_.width, data_.x + data_.width);
    std::int64_t to = origin_ + (y - shown_.y) * step_y_ + (left - shown_.x) * step_x_;
    for (int x = left; x < right; ++x, to += step_x_) {
      put(static_cast<std::size_t>(to), static_cast<std::size_t>(x - data_.x));
    }
  }

 private:
  PictureWindow shown_;
  PictureWindow data_;
  bool turned_ = false;
  std::int64_t step_x_ = 1;
  std::int64_t step_y_ = 1;
  std::int64_t origin_ = 0;
};

}  // namespace cosmos
