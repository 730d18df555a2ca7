#include <lapse/image/faults.hpp>
#include <lapse/image/opened.hpp>

namespace lapse::image {

Result<Opened> open_photo(const Codec& codec, const std::filesystem::path& file, const OpenOptions& options, const Target& target) {
  LAPSE_TRY(auto reader, codec.open(file, options.limits));
  Header header = reader->header();
  const std::size_t scale = options.scaling.scale;
  LAPSE_TRY(const Format format, choose_format(codec, header, scale, options.wanted));
  if (format == Format::Jpeg && header.alpha()) header.notes.push_back(kFlattened.english);
  LAPSE_TRY(auto sink, target(format));
  const WriteOptions write{format, header.width * scale, header.height * scale, header.channels,
                           options.keep_metadata ? reader->metadata() : nullptr};
  LAPSE_TRY(auto writer, codec.create(write, std::move(sink)));
  LAPSE_TRY(auto enlargement, Enlargement::make(std::move(reader), std::move(writer), options.scaling));
  return Opened{std::move(enlargement), std::move(header), format};
}

}  // namespace lapse::image
