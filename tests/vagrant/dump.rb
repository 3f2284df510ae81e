# What Vagrant's own loader understands of Vagrantfiles, as JSON: dump.rb FOLDER...
#
# Nothing of ours is asked: every value is read from the configuration that `vagrant up` would hand to
# the VirtualBox provider. A folder whose Vagrantfile doesn't load has its error in the place of machines.

require "json"
require "vagrant"

# JSON has no symbols; a symbol and a string of the same letters must not look the same.
def plain(value)
  case value
  when Hash then value.to_h { |key, one| [key.to_s, plain(one)] }
  when Array then value.map { |one| plain(one) }
  when Symbol then ":#{value}"
  when String, Numeric, true, false, nil then value
  else value.to_s
  end
end

def provisioner(one)
  config = one.config
  said = %i[path inline args env source destination].to_h do |key|
    [key, config.respond_to?(key) ? config.public_send(key) : nil]
  end
  plain(said.compact.merge(type: one.type.to_s, run: one.run.to_s))
end

def machine(config)
  vm = config.vm
  virtualbox = vm.get_provider_config(:virtualbox)
  {
    box: vm.box,
    box_version: vm.box_version,
    box_check_update: vm.box_check_update,
    hostname: vm.hostname,
    networks: vm.networks.reject { |_, options| options[:id] == "ssh" }.map { |type, options| [type.to_s, plain(options)] },
    synced_folders: plain(vm.synced_folders),
    provisioners: vm.provisioners.map { |one| provisioner(one) },
    name: virtualbox.name,
    linked_clone: virtualbox.linked_clone,
    check_guest_additions: virtualbox.check_guest_additions,
    customizations: virtualbox.customizations.map { |event, command| [event.to_s, plain(command)] },
  }
end

def machines(folder)
  environment = Vagrant::Environment.new(cwd: folder, ui_class: Vagrant::UI::Silent)
  vagrantfile = environment.vagrantfile
  vagrantfile.machine_names.to_h do |name|
    [name.to_s, machine(vagrantfile.machine_config(name, :virtualbox, nil, nil, false)[:config])]
  end
rescue Vagrant::Errors::VagrantError, ScriptError, StandardError => error
  { error: "#{error.class}: #{error.message}" }
end

puts JSON.pretty_generate(ARGV.to_h { |folder| [folder, machines(folder)] })
