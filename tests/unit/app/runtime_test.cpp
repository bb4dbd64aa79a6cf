// SPDX-License-Identifier: Apache-2.0
#include "app/runtime.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

#include <cstring>
#include <elf.h>
#include <fstream>
#include <unistd.h>

namespace stalesock::test {

namespace {

/// An ELF file with nothing but names of sections.
std::string elf_with(const std::string& section) {
	const std::string names = std::string("\0.shstrtab\0", 11) + section + '\0';
	Elf64_Ehdr header{};
	std::memcpy(header.e_ident, ELFMAG, SELFMAG);
	header.e_ident[EI_CLASS] = ELFCLASS64;
	header.e_shentsize = sizeof(Elf64_Shdr);
	header.e_shnum = 2;
	header.e_shstrndx = 0;
	header.e_shoff = sizeof(header);
	Elf64_Shdr sections[2]{};
	sections[0].sh_name = 1;
	sections[0].sh_offset = sizeof(header) + sizeof(sections);
	sections[0].sh_size = names.size();
	sections[1].sh_name = 11;
	std::string file(reinterpret_cast<const char*>(&header), sizeof(header));
	file.append(reinterpret_cast<const char*>(sections), sizeof(sections));
	return file + names;
}

void put(const std::string& path, const std::string& bytes) {
	std::ofstream(path, std::ios::binary) << bytes;
}

} // namespace

TEST_CASE("a Go program is told by a section", "[app]") {
	const ScratchFolder folder;
	const std::string path = folder / "program";
	put(path, elf_with(".go.buildinfo"));
	CHECK(runtime_of_file(path) == Runtime::go);
	put(path, elf_with(".go.buildinfos"));
	CHECK(runtime_of_file(path) == Runtime::unknown);
	put(path, elf_with(".text"));
	CHECK(runtime_of_file(path) == Runtime::unknown);
	CHECK(runtime_of_file(folder / "none") == Runtime::unknown);
	CHECK(runtime_of_file(folder.path()) == Runtime::unknown);
}

TEST_CASE("whatever a program file has in it, looking does no harm", "[app]") {
	const ScratchFolder folder;
	const std::string path = folder / "program";
	const std::string good = elf_with(".go.buildinfo");
	for (std::size_t length = 0; length < good.size() - 1; length++) {
		put(path, good.substr(0, length));
		REQUIRE(runtime_of_file(path) == Runtime::unknown);
	}
	for (std::size_t at = 0; at < good.size(); at++) {
		for (const char wrong : {'\0', '\x7f', '\xff'}) {
			std::string damaged = good;
			damaged[at] = wrong;
			put(path, damaged);
			static_cast<void>(runtime_of_file(path));
		}
	}
}

TEST_CASE("this process is no Go program, and one that has ended is not known", "[app]") {
	RuntimeLookup lookup;
	CHECK(lookup(getpid()) == Runtime::unknown);
	CHECK(lookup(getpid()) == Runtime::unknown); // from memory
	CHECK(lookup(1 << 22) == Runtime::unknown);
}

} // namespace stalesock::test
