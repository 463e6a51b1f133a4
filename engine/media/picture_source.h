#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/cancel.h"
#include "media/media_process.h"
#include "media/picture_wire.h"

namespace cosmos {

// Pictures as cosmos-pictures decodes them, which stands beside the engine's program. Several of them work side by
// side. Used by one thread.
class PictureSource {
 public:
  // `cancel` must outlive the object.
  explicit PictureSource(const CancelToken& cancel);
  ~PictureSource();
  PictureSource(const PictureSource&) = delete;
  PictureSource& operator=(const PictureSource&) = delete;

  using Decoded = std::variant<DecodedPicture, PictureProblem>;
  using Take = std::function<void(std::size_t index, Decoded decoded)>;
  // Calls `take` with what each query gives, in their order. A picture with which cosmos-pictures crashes has a
  // problem. Throws Error{kUnavailable} when there is no cosmos-pictures or when cancelled, and what `take` throws.
  void Read(const std::vector<PictureQuery>& queries, const Take& take);

  // Throws Error{kInvalidInput} when there is no such colour space, and as Read does.
  void CheckColourSpace(const std::string& space);

 private:
  class Worker;

  const CancelToken& cancel_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace cosmos
