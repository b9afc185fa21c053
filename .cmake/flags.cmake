# Compiler and linker flags, carried by the INTERFACE target fr_flags that every library links.
add_library(fr_flags INTERFACE)
target_compile_definitions(fr_flags INTERFACE _GNU_SOURCE FR_VERSION="${PROJECT_VERSION}")
target_compile_options(fr_flags INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wformat=2 -Wstrict-prototypes
    -Wmissing-prototypes -Wvla -Wundef -Wswitch-enum -fvisibility=hidden)
if(CMAKE_BUILD_TYPE STREQUAL Debug)
    target_compile_options(fr_flags INTERFACE -O1 -g -fno-omit-frame-pointer)
else()
    target_compile_options(fr_flags INTERFACE -fstack-protector-strong)
    target_compile_definitions(fr_flags INTERFACE _FORTIFY_SOURCE=2)
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
    include(CheckPIESupported)
    check_pie_supported()
    add_link_options(LINKER:-z,relro,-z,now)
endif()
if(FR_SANITIZE)
    target_compile_options(fr_flags INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=all)
    target_link_options(fr_flags INTERFACE -fsanitize=address,undefined)
endif()
if(FR_FUZZ)
    target_compile_options(fr_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
