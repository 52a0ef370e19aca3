# The ways in which Perl programs call a panel. Usage: perl panel.pl MANNER URL < CALLS
# CALLS is a JSON list of objects; the answers are printed as one JSON list of [status, body].
use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;

my ($manner, $url) = @ARGV;
my $json = JSON::PP->new->utf8->canonical;
my $http = HTTP::Tiny->new(agent => 'Mozilla/4.0 (compatible; MSIE 5.01; Windows NT 5.0)');
my %ways = (
    form  => sub { $http->post_form($url, $_[0]) },
    query => sub { $http->get($url . '?' . $http->www_form_urlencode($_[0])) },
    json  => sub {
        $http->post($url, { content => $json->encode($_[0]), headers => { 'Content-Type' => 'application/json' } });
    },
);
my @answers;
for my $call (@{ $json->decode(do { local $/; <STDIN> }) }) {
    my $answer = $ways{$manner}->($call);
    push @answers, [ $answer->{status} + 0, $json->decode($answer->{content}) ];
}
print $json->encode(\@answers);
