# What `cmake --install` puts on a machine besides programs and libraries: units, the service user, its directories, documents.
pkg_get_variable(FR_SYSTEMD_UNITS systemd systemd_system_unit_dir)
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr" AND FR_SYSTEMD_UNITS)
    set(FR_UNIT_DIR ${FR_SYSTEMD_UNITS})
else()
    set(FR_UNIT_DIR lib/systemd/system)
endif()

foreach(unit broker/main/systemd/fedroam-broker ns-plugin/agent/systemd/fedroam-agent ns-plugin/main/systemd/fedroam-ns
        pki/member/systemd/fedroam-renew zones/sync/systemd/fedroam-sync)
    get_filename_component(name ${unit} NAME)
    configure_file(${unit}.service.in ${PROJECT_BINARY_DIR}/${name}.service @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/${name}.service DESTINATION ${FR_UNIT_DIR} COMPONENT fedroam)
endforeach()
install(FILES pki/member/systemd/fedroam-renew.timer zones/sync/systemd/fedroam-sync.timer DESTINATION ${FR_UNIT_DIR} COMPONENT fedroam)
install(FILES broker/main/systemd/fedroam.sysusers DESTINATION lib/sysusers.d
    RENAME fedroam.conf COMPONENT fedroam)
install(FILES broker/main/systemd/fedroam.tmpfiles DESTINATION lib/tmpfiles.d
    RENAME fedroam.conf COMPONENT fedroam)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT fedroam)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT fedroam FILES_MATCHING PATTERN "*.md" PATTERN "*.yml")
