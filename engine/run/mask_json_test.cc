#include "run/mask_json.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

using nlohmann::json;

TEST(MaskJson, TextsNumbersAndKeys) {
  const Masker masker({"gold-token", "47114711"});
  EXPECT_EQ(
      MaskJson(json::parse(R"({"a": ["x gold-token", {"gold-token": 47114711}], "b": 4711, "c": null, "d": true})"),
               masker),
      json::parse(R"({"a": ["x ***", {"***": "***"}], "b": 4711, "c": null, "d": true})"));
  EXPECT_EQ(MaskJson(json::array(), masker), json::array());
  EXPECT_EQ(MaskJson(json::object(), masker), json::object());
  EXPECT_EQ(MaskJson("gold-token", Masker()), "gold-token");
}

}  // namespace
}  // namespace cosmos
