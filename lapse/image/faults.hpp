#pragma once
// Why a photo is refused, and what is remarked on one that is not. Each has one fixed English sentence, by which it is found in every other
// language (gettext's way), here and in the page. Figures stand in the error's hint and have no words: "4290 MP > 110 MP".

#include <lapse/base/error.hpp>
#include <span>
#include <string_view>

namespace lapse::image {

struct Sentence {
  std::string_view english, korean;
};

struct Fault {
  ErrorCode code;
  Sentence sentence;
};

inline constexpr Fault kUnreadable{ErrorCode::BadInput, {"the file can't be read", "파일을 읽을 수 없습니다"}};
inline constexpr Fault kEmpty{ErrorCode::BadInput, {"the file is empty", "파일이 비어 있습니다"}};
inline constexpr Fault kTooManyBytes{ErrorCode::TooLarge, {"the file is too large", "파일이 너무 큽니다"}};
inline constexpr Fault kNoPhoto{ErrorCode::Unsupported,
                                {"the file is no JPEG, PNG, WebP, HEIC or AVIF picture", "JPEG, PNG, WebP, HEIC, AVIF 사진이 아닙니다"}};
inline constexpr Fault kNoDecoder{ErrorCode::Unsupported,
                                  {"this machine can't read pictures of this kind", "이 컴퓨터에서는 이 종류의 사진을 읽을 수 없습니다"}};
inline constexpr Fault kTooManyPixels{ErrorCode::TooLarge, {"the picture has too many pixels", "사진의 화소가 너무 많습니다"}};
inline constexpr Fault kTooLong{ErrorCode::TooLarge, {"a side of the picture is too long", "사진의 한 변이 너무 깁니다"}};
inline constexpr Fault kTooLargeWhole{ErrorCode::TooLarge,
                                      {"a picture stored this way has to be read whole, and is too large for that",
                                       "이 방식으로 저장된 사진은 한꺼번에 읽어야 하는데 그러기에는 너무 큽니다"}};
inline constexpr Fault kTruncated{ErrorCode::BadInput, {"the file ends before the picture does", "파일이 사진 중간에서 끊겼습니다"}};
inline constexpr Fault kDamaged{ErrorCode::BadInput, {"the picture is damaged", "사진이 손상되었습니다"}};
inline constexpr Fault kTooSlow{ErrorCode::Deadline, {"reading the picture takes too long", "사진을 읽는 데 너무 오래 걸립니다"}};
inline constexpr Fault kNoMemory{ErrorCode::OutOfMemory,
                                 {"there is not enough memory for the picture", "사진을 처리할 메모리가 모자랍니다"}};
inline constexpr Fault kTooLargeToWrite{
    ErrorCode::TooLarge, {"the enlarged picture is too large for its file format", "확대한 사진이 파일 형식의 한도보다 큽니다"}};
inline constexpr Fault kNotWritten{ErrorCode::Internal, {"the enlarged picture can't be written", "확대한 사진을 저장할 수 없습니다"}};

// Remarks.
inline constexpr Sentence kFirstFrame{"only the first picture of the animation is enlarged", "움직이는 그림에서 첫 장면만 확대했습니다"};
inline constexpr Sentence kProfileIgnored{"the colour profile can't be used, so the colours are taken as sRGB",
                                          "색상 프로파일을 쓸 수 없어 sRGB로 보고 처리했습니다"};
inline constexpr Sentence kSixteenBits{"the 16 bits of a colour become 8", "색상당 16비트를 8비트로 줄였습니다"};
inline constexpr Sentence kFlattened{"transparent parts become white, because JPEG has no transparency",
                                     "JPEG에는 투명도가 없어 투명한 부분을 흰색으로 채웠습니다"};

/// Every sentence above.
std::span<const Sentence> sentences();
/// In Korean; what is none of the sentences comes back as it is.
std::string_view in_korean(std::string_view english);

/// `figures` is what was found against what is allowed, or the system's word for what went wrong; may be empty.
tl::unexpected<Error> refuse(const Fault& fault, std::string figures = {});
/// "4290 MP > 110 MP": the pixels found and the most that are taken.
std::string megapixels(std::uint64_t found, std::uint64_t most);

}  // namespace lapse::image
