#pragma once

#include "media/media_fixture.h"
#include "media/picture_source.h"
#include "media/shot.h"
#include "media/shot_folder.h"

namespace cosmos {

// For tests with frames on disk.
class ShotFixture : public MediaFixture {
 protected:
  // The one control that the folder's frames make.
  ControlFrames Control() const {
    const Shot shot = AssembleShot(ListFiles(folder_, Path("out")), options_);
    EXPECT_EQ(shot.controls.size(), 1u);
    return shot.controls.at(0);
  }

  ShotOptions options_;
  PictureSource source_{cancel_};
};

}  // namespace cosmos
