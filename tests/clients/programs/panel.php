<?php
// The class that panels print on their example page, and a program that calls it: php panel.php MANNER URL < CALLS
// CALLS is a JSON list of objects; the answers are printed as one JSON list of [status, body].

class Api
{
    public $api_url;
    public $status = 0;

    /** The example page's way: every value escaped, the parts joined by hand. */
    public function form($call)
    {
        $parts = [];
        foreach ($call as $name => $value) {
            $parts[] = $name . '=' . urlencode($value);
        }
        return $this->send(join('&', $parts), 'Mozilla/4.0 (compatible; MSIE 5.01; Windows NT 5.0)');
    }

    /** Fields as an array: PHP's curl makes a multipart form of them. */
    public function multipart($call)
    {
        return $this->send($call, '');
    }

    private function send($fields, $agent)
    {
        $ch = curl_init($this->api_url);
        curl_setopt($ch, CURLOPT_RETURNTRANSFER, 1);
        curl_setopt($ch, CURLOPT_POST, 1);
        curl_setopt($ch, CURLOPT_HEADER, 0);
        curl_setopt($ch, CURLOPT_FOLLOWLOCATION, 1);
        curl_setopt($ch, CURLOPT_SSL_VERIFYPEER, 0);
        curl_setopt($ch, CURLOPT_SSL_VERIFYHOST, 0);
        curl_setopt($ch, CURLOPT_POSTFIELDS, $fields);
        curl_setopt($ch, CURLOPT_USERAGENT, $agent);
        $result = curl_exec($ch);
        $this->status = curl_getinfo($ch, CURLINFO_HTTP_CODE);
        curl_close($ch);
        return $result;
    }
}

$api = new Api();
$api->api_url = $argv[2];
$answers = [];
foreach (json_decode(stream_get_contents(STDIN), true) as $call) {
    $body = $api->{$argv[1]}($call);
    $answers[] = [$api->status, json_decode($body)];
}
echo json_encode($answers);
