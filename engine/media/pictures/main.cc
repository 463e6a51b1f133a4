// cosmos-pictures, which decodes pictures for `cosmos-engine prepare`. A program of its own, because OpenImageIO takes
// a tenth of a second and more to load, and a decoder that crashes or takes too much memory ends nothing else.

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/fd.h"
#include "media/picture_wire.h"
#include "media/pictures/picture_decoder.h"

namespace cosmos {
namespace {

// A picture of the largest size takes a third of this. What the headers of a hostile file claim is refused before; the
// limit is for what nobody thought of.
void LimitMemory() {
#ifndef COSMOS_SANITIZED  // the sanitizers' own memory is larger
  const rlim_t most = rlim_t{8} << 30;
  const rlimit memory = {most, most};
  ::setrlimit(RLIMIT_DATA, &memory);
#endif
  const rlimit core = {0, 0};
  ::setrlimit(RLIMIT_CORE, &core);
}

// False when nobody reads any more.
bool Write(const Fd& to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(to.get(), bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool Answer(PictureDecoder* decoder, const PictureQuery& query, const Fd& to) {
  try {
    if (query.file.empty()) {
      decoder->CheckColourSpace(query.choice.colorspace);
      return Write(to, ToWire(DecodedPicture()));
    }
    const DecodedPicture picture = decoder->Decode(query);
    return Write(to, ToWire(picture)) && Write(to, picture.pixels);
  } catch (const Error& error) {
    return Write(to, ToWire(PictureProblem{error.message(), error.hint()}));
  } catch (const std::exception& error) {
    return Write(to, ToWire(PictureProblem{std::string("it cannot be read: ") + error.what(), "render it again"}));
  }
}

int Serve() {
  LimitMemory();
  // What libraries print is for the log, and not among the answers.
  const Fd answers(::dup(STDOUT_FILENO));
  if (!answers.valid() || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return 1;
  PictureDecoder decoder;
  std::string fields[kQueryFields];
  for (;;) {
    for (std::string& field : fields) {
      if (!std::getline(std::cin, field, '\0')) return 0;
    }
    if (!Answer(&decoder, QueryFromWire(fields), answers)) return 0;
  }
}

}  // namespace
}  // namespace cosmos

int main() { return cosmos::Serve(); }
