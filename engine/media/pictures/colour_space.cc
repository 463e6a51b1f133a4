#include "media/pictures/colour_space.h"

#include <OpenColorIO/OpenColorIO.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace ocio = OCIO_NAMESPACE;

struct ColourConversion::Processor {
  ocio::ConstCPUProcessorRcPtr cpu;
};

namespace {

constexpr std::size_t kMaxNameShown = 60;  // characters
const char* const kBuiltIn[] = {kLinearSrgb, "acescg", "aces2065-1", kSrgb, "raw"};
// What configurations without roles of interchange call the space that a display shows as it is.
const char* const kDisplaySpaces[] = {"sRGB - Texture", "srgb_texture", "Utility - sRGB - Texture", "sRGB", "srgb",
                                      "sRGB - Display", "Output - sRGB"};

[[noreturn]] void Refuse(const std::string& message, const std::string& hint) {
  throw Error(ErrorCode::kInvalidInput, message, hint);
}

ocio::TransformRcPtr BuiltIn(const char* style) {
  const ocio::BuiltinTransformRcPtr transform = ocio::BuiltinTransform::Create();
  transform->setStyle(style);
  return transform;
}

// Light to what a display is sent, as IEC 61966-2-1 has it.
ocio::TransformRcPtr SrgbCurve() {
  const ocio::ExponentWithLinearTransformRcPtr curve = ocio::ExponentWithLinearTransform::Create();
  curve->setGamma({2.4, 2.4, 2.4, 1.0});
  curve->setOffset({0.055, 0.055, 0.055, 0.0});
  curve->setDirection(ocio::TRANSFORM_DIR_INVERSE);
  return curve;
}

// From a space of ours; the matrices are those that ACES publishes, from D60 to D65 by Bradford.
ocio::GroupTransformRcPtr FromBuiltIn(const std::string& space) {
  const ocio::GroupTransformRcPtr group = ocio::GroupTransform::Create();
  if (space == "aces2065-1") {
    const ocio::TransformRcPtr to_acescg = BuiltIn("ACEScg_to_ACES2065-1");
    to_acescg->setDirection(ocio::TRANSFORM_DIR_INVERSE);
    group->appendTransform(to_acescg);
  }
  if (space != kLinearSrgb) group->appendTransform(BuiltIn("UTILITY - ACES-AP1_to_LINEAR-REC709_BFD"));
  group->appendTransform(SrgbCurve());
  return group;
}

// A configuration of two spaces, the one that other configurations meet it in and sRGB.
ocio::ConstConfigRcPtr OwnConfig() {
  const ocio::ConfigRcPtr config = ocio::Config::CreateRaw()->createEditableCopy();
  const ocio::ColorSpaceRcPtr aces = ocio::ColorSpace::Create();
  aces->setName("aces2065-1");
  config->addColorSpace(aces);
  const ocio::ColorSpaceRcPtr srgb = ocio::ColorSpace::Create();
  srgb->setName(kSrgb);
  srgb->setTransform(FromBuiltIn("aces2065-1"), ocio::COLORSPACE_DIR_FROM_REFERENCE);
  config->addColorSpace(srgb);
  config->setRole(ocio::ROLE_INTERCHANGE_SCENE, "aces2065-1");
  return config;
}

ocio::ConstProcessorRcPtr FromConfig(const std::string& space, const std::string& file) {
  const ocio::ConstConfigRcPtr config = ocio::Config::CreateFromFile(file.c_str());
  if (!config->getColorSpace(space.c_str())) {
    std::vector<std::string> names;
    for (int i = 0; i < config->getNumColorSpaces(); ++i) names.emplace_back(config->getColorSpaceNameByIndex(i));
    Refuse(
        "the OpenColorIO configuration '" + file + "' has no colour space '" + TruncateUtf8(space, kMaxNameShown) + "'",
        Suggestion(space, names));
  }
  if (config->hasRole(ocio::ROLE_INTERCHANGE_SCENE)) {
    return ocio::Config::GetProcessorFromConfigs(config, space.c_str(), OwnConfig(), kSrgb);
  }
  for (const char* display : kDisplaySpaces) {
    if (config->getColorSpace(display)) return config->getProcessor(space.c_str(), display);
  }
  Refuse("the OpenColorIO configuration '" + file + "' does not say what sRGB is",
         std::string("give it the role ") + ocio::ROLE_INTERCHANGE_SCENE + ", or a colour space called sRGB");
}

ocio::ConstProcessorRcPtr ProcessorOf(const std::string& space) {
  if (std::find(std::begin(kBuiltIn), std::end(kBuiltIn), space) != std::end(kBuiltIn)) {
    return OwnConfig()->getProcessor(FromBuiltIn(space));
  }
  const char* const file = std::getenv("OCIO");
  if (file != nullptr && *file != '\0') return FromConfig(space, file);
  Refuse("there is no colour space '" + TruncateUtf8(space, kMaxNameShown) + "'",
         "expected one of " + Join({std::begin(kBuiltIn), std::end(kBuiltIn)}, ", ") +
             "; for those of an OpenColorIO configuration, set the variable OCIO to its file");
}

}  // namespace

ColourConversion::ColourConversion(const std::string& space) {
  if (space == kSrgb || space == "raw") return;
  try {
    processor_ = std::make_unique<const Processor>(Processor{ProcessorOf(space)->getDefaultCPUProcessor()});
  } catch (const ocio::Exception& error) {
    Refuse("OpenColorIO cannot use the colour space '" + TruncateUtf8(space, kMaxNameShown) +
               "': " + Excerpt(error.what()),
           "look at the configuration that the variable OCIO names");
  }
}

ColourConversion::~ColourConversion() = default;

void ColourConversion::Apply(float* colours, std::size_t pixels) const {
  const ocio::PackedImageDesc image(colours, static_cast<long>(pixels), 1, 3);
  processor_->cpu->apply(const_cast<ocio::PackedImageDesc&>(image));
}

}  // namespace cosmos
