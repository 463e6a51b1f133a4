#include "media/pictures/picture_channels.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace {

constexpr std::size_t kMaxLayers = 12;     // in a message
constexpr std::size_t kMaxNameShown = 60;  // characters

// What renderers call the layer that is the picture, the likeliest first.
constexpr std::array kBeautyNames = {"rgba", "rgb", "beauty", "combined", "c", "color", "colour", "main", "image"};

[[noreturn]] void Refuse(const std::string& message, const std::string& hint) {
  throw Error(ErrorCode::kInvalidInput, message, hint);
}

// What stands behind the last dot.
std::string LastWord(const std::string& name) { return name.substr(name.rfind('.') + 1); }

// Channels of a part with the same name up to the last dot.
struct Layer {
  std::size_t part = 0;
  std::string part_name;
  std::string name;           // "": that of channels without a dot
  std::vector<int> channels;  // places in the part
  bool deep = false;

  // As people say it with --layer.
  std::string FullName() const {
    const bool repeated = SmallLetters(name).starts_with(SmallLetters(part_name));
    if (part_name.empty() || (repeated && !name.empty())) return name;
    return name.empty() ? part_name : part_name + "." + name;
  }
};

std::vector<Layer> LayersOf(const std::vector<PicturePart>& parts) {
  std::vector<Layer> layers;
  for (std::size_t part = 0; part < parts.size(); ++part) {
    const std::size_t first = layers.size();
    for (std::size_t i = 0; i < parts[part].channels.size(); ++i) {
      const std::string& channel = parts[part].channels[i];
      const std::size_t dot = channel.rfind('.');
      const std::string name = channel.substr(0, dot == channel.npos ? 0 : dot);
      auto layer = std::find_if(layers.begin() + static_cast<std::ptrdiff_t>(first), layers.end(),
                                [&](const Layer& one) { return one.name == name; });
      if (layer == layers.end()) {
        layers.push_back({part, parts[part].name, name, {}, parts[part].deep});
        layer = std::prev(layers.end());
      }
      layer->channels.push_back(static_cast<int>(i));
    }
  }
  return layers;
}

class Chooser {
 public:
  Chooser(const std::vector<PicturePart>& parts, const PictureChoice& choice)
      : parts_(parts), choice_(choice), layers_(LayersOf(parts)) {}

  ChosenChannels Choose() {
    if (!choice_.layer.empty()) KeepLayer();
    if (std::any_of(layers_.begin(), layers_.end(), [](const Layer& layer) { return !layer.deep; })) {
      std::erase_if(layers_, [](const Layer& layer) { return layer.deep; });
    } else {
      Refuse("it is a deep EXR", "flatten it: render a flat EXR, or convert it with Nuke's DeepToImage");
    }
    return choice_.kind == PictureChoice::Kind::kDepth ? Depth() : Colour();
  }

 private:
  const std::string& NameOf(const Layer& layer, int channel) const {
    return parts_[layer.part].channels[static_cast<std::size_t>(channel)];
  }

  // `Z, depth.Z` or, when several layers have them, only those of the layers.
  std::string ChannelNames() const {
    std::vector<std::string> names;
    for (const Layer& layer : layers_) {
      for (const int channel : layer.channels) names.push_back(TruncateUtf8(NameOf(layer, channel), kMaxNameShown));
    }
    return Shortened(std::move(names));
  }
  static std::string Shortened(std::vector<std::string> names) {
    const std::size_t all = names.size();
    if (all > kMaxLayers) {
      names.resize(kMaxLayers);
      names.push_back("… (" + std::to_string(all) + " in all)");
    }
    return Join(names, ", ");
  }
  static std::string LayerNames(const std::vector<Layer>& layers) {
    std::vector<std::string> names;
    for (const Layer& layer : layers) {
      const std::string name = TruncateUtf8(layer.FullName(), kMaxNameShown);
      if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return Shortened(std::move(names));
  }

  // How well a layer's name is the wanted one; 0 is the best. Nothing: it is not.
  std::optional<int> Match(const Layer& layer) const {
    const std::string wanted = SmallLetters(choice_.layer);
    if (layer.FullName() == choice_.layer || layer.name == choice_.layer) return 0;
    if (SmallLetters(layer.FullName()) == wanted || SmallLetters(layer.name) == wanted) return 1;
    if (SmallLetters(layer.FullName()).ends_with("." + wanted)) return 2;  // `Combined` of `ViewLayer.Combined`
    return std::nullopt;
  }

  // Leaves the layer that is wanted, or the single channel of that name.
  void KeepLayer() {
    std::vector<Layer> found;
    for (int rank = 0; rank < 3 && found.empty(); ++rank) {
      std::copy_if(layers_.begin(), layers_.end(), std::back_inserter(found),
                   [&](const Layer& layer) { return Match(layer) == rank; });
    }
    for (const Layer& layer : layers_) {
      if (!found.empty()) break;
      for (const int channel : layer.channels) {
        if (NameOf(layer, channel) == choice_.layer) found = {{layer.part, layer.part_name, "", {channel}, layer.deep}};
      }
    }
    if (found.empty()) {
      const std::string layers = LayerNames(layers_);
      Refuse("it has no layer '" + TruncateUtf8(choice_.layer, kMaxNameShown) + "'; found " +
                 (layers.empty() ? "only the channels " + ChannelNames() : "the layers " + layers),
             layers.empty() ? "leave out --layer" : "choose one of them with --layer");
    }
    if (found.size() > 1) {
      Refuse("the layer '" + TruncateUtf8(choice_.layer, kMaxNameShown) + "' could be any of " + LayerNames(found),
             "give --layer the full name");
    }
    layers_ = std::move(found);
  }

  // The channel of a layer whose last word is one of these.
  std::optional<int> Find(const Layer& layer, std::initializer_list<std::string_view> words) const {
    for (const int channel : layer.channels) {
      const std::string word = SmallLetters(LastWord(NameOf(layer, channel)));
      if (std::find(words.begin(), words.end(), word) != words.end()) return channel;
    }
    return std::nullopt;
  }

  std::optional<ChosenChannels> Colours(const Layer& layer) const {
    const auto red = Find(layer, {"r", "red"});
    const auto green = Find(layer, {"g", "green"});
    const auto blue = Find(layer, {"b", "blue"});
    if (!red || !green || !blue) return std::nullopt;
    return ChosenChannels{layer.part, {*red, *green, *blue}};
  }
  std::optional<ChosenChannels> Grey(const Layer& layer) const {
    const auto grey = Find(layer, {"y", "l"});
    if (!grey || Find(layer, {"x"})) return std::nullopt;  // with an X, it is a coordinate
    return ChosenChannels{layer.part, {*grey}};
  }

  ChosenChannels Colour() const {
    std::vector<Layer> coloured;
    for (const Layer& layer : layers_) {
      const auto colours = Colours(layer);
      if (colours && (layer.name.empty() || layers_.size() == 1)) return *colours;
      if (colours) coloured.push_back(layer);
    }
    for (const char* name : kBeautyNames) {
      for (const Layer& layer : coloured) {
        if (SmallLetters(LastWord(layer.name)) == name) return *Colours(layer);
      }
    }
    for (const Layer& layer : layers_) {
      const auto grey = Grey(layer);
      if (grey && (layer.name.empty() || layers_.size() == 1)) return *grey;
    }
    if (coloured.size() == 1) return *Colours(coloured[0]);
    if (coloured.size() > 1) {
      Refuse("found several layers with colours: " + LayerNames(coloured), "choose one of them with --layer");
    }
    if (layers_.size() == 1 && layers_[0].channels.size() == 1) return {layers_[0].part, layers_[0].channels};
    Refuse("found the channels " + ChannelNames() + "; expected R, G and B, or Y",
           layers_.size() > 1 ? "choose a layer or a channel with --layer" : "choose a channel with --layer");
  }

  // How likely a channel holds the depth; 0 is the likeliest. Nothing: it does not.
  std::optional<int> DepthRank(const Layer& layer, int channel) const {
    const std::string name = SmallLetters(NameOf(layer, channel));
    const std::string word = LastWord(name);
    const std::string part = SmallLetters(layer.part_name);
    // With an X beside it, Z is a coordinate, as in a pass of normals.
    const bool coordinate = Find(layer, {"x"}).has_value();
    if (name == "z" && !coordinate) return 0;
    if (word == "z" && !coordinate) return 1;
    if (name == "depth" || name == "zdepth" || name == "pz" || word == "depth") return 2;
    const bool value = word == "y" || word == "r" || word == "v";
    if (value && !coordinate && (name.find("depth") != name.npos || part.find("depth") != part.npos || part == "z")) {
      return 3;
    }
    if (name == "y") return 4;
    if (name == "r") return 5;
    return layers_.size() == 1 && layer.channels.size() == 1 ? std::optional(6) : std::nullopt;
  }

  ChosenChannels Depth() const {
    std::optional<int> best;
    ChosenChannels chosen;
    for (const Layer& layer : layers_) {
      for (const int channel : layer.channels) {
        const auto rank = DepthRank(layer, channel);
        if (!rank || (best && *rank >= *best)) continue;
        best = rank;
        chosen = {layer.part, {channel}};
      }
    }
    if (best) return chosen;
    Refuse("found no depth among its channels (" + ChannelNames() + "); expected Z, depth.Z, Y or R",
           "render a depth pass into it, or choose a channel with --layer depth=NAME");
  }

  const std::vector<PicturePart>& parts_;
  const PictureChoice& choice_;
  std::vector<Layer> layers_;
};

}  // namespace

ChosenChannels ChooseChannels(const std::vector<PicturePart>& parts, const PictureChoice& choice) {
  return Chooser(parts, choice).Choose();
}

}  // namespace cosmos
